//! Names like a wrong one, for messages.

use std::path::Path;

use crate::path_name::folder_of;

/// Maximum number of names in a message.
const MAX_LISTED: usize = 10;
/// Maximum number of files in a folder that are compared.
const MAX_FILES: usize = 10_000;
/// Maximum number of characters that are compared.
const MAX_LEN: usize = 100;

/// The names that exist, and the one that was probably meant.
pub(crate) fn hint(wanted: &str, what: &str, names: &[String]) -> String {
    if names.is_empty() {
        return format!("it has no {what}");
    }
    if let Some(near) = nearest(wanted, names.iter().map(String::as_str)) {
        return format!("did you mean {near:?}?");
    }
    let shown: Vec<String> = names.iter().take(MAX_LISTED).map(|n| format!("{n:?}")).collect();
    let more = match names.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("it has the {what} {}{more}", shown.join(", "))
}

/// The file in the same folder with the nearest name.
pub(crate) fn file(missing: &Path) -> Option<String> {
    let wanted = missing.file_name()?.to_str()?;
    let files = std::fs::read_dir(folder_of(missing)).ok()?;
    let names = files.take(MAX_FILES).flatten().map(|entry| entry.file_name());
    let names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    let near = nearest(wanted, names.iter().map(String::as_str))?;
    Some(missing.with_file_name(near).display().to_string())
}

/// The name that differs least, if it differs little.
pub(crate) fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let short = |text: &str| -> Vec<char> { text.to_lowercase().chars().take(MAX_LEN).collect() };
    let wanted = short(wanted);
    let max = (wanted.len() / 3).clamp(1, 3);
    let distances = names.map(|name| (distance(&wanted, &short(name)), name));
    distances
        .filter(|(distance, _)| *distance <= max)
        .min_by_key(|(distance, _)| *distance)
        .map(|it| it.1)
}

/// The number of characters to insert, remove or replace (Levenshtein).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.iter().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        for (b, above) in other.iter().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(a != b);
            diagonal = *above;
            left = changed.min(left + 1).min(*above + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_changes() {
        let of = |one: &str, other: &str| {
            distance(&one.chars().collect::<Vec<_>>(), &other.chars().collect::<Vec<_>>())
        };
        for (one, other, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(of(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn hint_names_the_near_one_or_all() {
        let names: Vec<String> = (1..=12).map(|n| format!("Signature{n}")).collect();
        assert_eq!(hint("signature3", "fields", &names), "did you mean \"Signature3\"?");
        let all = hint("Buyer", "fields", &names);
        assert!(all.starts_with("it has the fields \"Signature1\", "), "{all}");
        assert!(all.ends_with("\"Signature10\" and 2 more"), "{all}");
        assert_eq!(hint("Buyer", "fields", &[]), "it has no fields");
    }
}
