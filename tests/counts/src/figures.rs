//! The file of figures, and how new ones compare with it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The compiler that made this program.
pub(crate) const COMPILER: &str = env!("COMPILER");
/// A figure may grow by this many percent without being renewed.
const TOLERANCE: u64 = 5;

/// The instructions of each case, by its name.
pub(crate) struct Figures {
    pub(crate) compiler: String,
    pub(crate) counts: BTreeMap<String, u64>,
}

impl Figures {
    /// Compares new counts with these, prints all, and returns the faults.
    pub(crate) fn faults(&self, new: &Self) -> Vec<String> {
        let mut faults = Vec::new();
        println!("{:>14} {:>14} {:>8}  case", "committed", "counted", "change");
        for (name, &count) in &new.counts {
            let Some(&before) = self.counts.get(name) else {
                faults.push(format!("{name}: {count} instructions, and no committed figure"));
                continue;
            };
            let change = count as f64 / before as f64 - 1.0;
            println!("{before:>14} {count:>14} {:>+7.1}%  {name}", 100.0 * change);
            if count * 100 > before * (100 + TOLERANCE) {
                faults.push(format!(
                    "{name}: {count} instructions, {:.1} % more than the committed {before}",
                    100.0 * change
                ));
            } else if count * 100 < before * (100 - TOLERANCE) {
                println!("  fewer than before: `bash tests/counts.sh --renew` keeps the gain");
            }
        }
        let gone = self.counts.keys().filter(|name| !new.counts.contains_key(*name));
        faults.extend(gone.map(|name| format!("{name}: has a figure, and is not a case")));
        faults
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Instructions by case; `bash tests/counts.sh --renew` writes this file.")?;
        writeln!(f, "rustc\t{}", self.compiler)?;
        self.counts.iter().try_for_each(|(name, count)| writeln!(f, "{name}\t{count}"))
    }
}

impl FromStr for Figures {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut compiler, mut counts) = (None, BTreeMap::new());
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match line.split_once('\t') {
                Some(("rustc", version)) => compiler = Some(version.to_owned()),
                Some((name, count)) => {
                    let count = count.parse().map_err(|_| format!("not a count: {line:?}"))?;
                    counts.insert(name.to_owned(), count);
                }
                None => return Err(format!("not a name and a count with a tab: {line:?}")),
            }
        }
        let compiler = compiler.ok_or("the line of rustc is missing")?;
        Ok(Self { compiler, counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(lines: &str) -> Figures {
        format!("# a comment\nrustc\t1.2.3\n{lines}").parse().unwrap()
    }

    #[test]
    fn growth_and_unknown_cases_are_faults() {
        let committed = figures("a\t1000\nb\t1000\nc\t1000\n");
        assert!(committed.faults(&figures("a\t1050\nb\t900\nc\t1000\n")).is_empty());
        let faults = committed.faults(&figures("a\t1051\nb\t1000\nd\t1\n"));
        assert_eq!(
            faults,
            [
                "a: 1051 instructions, 5.1 % more than the committed 1000",
                "d: 1 instructions, and no committed figure",
                "c: has a figure, and is not a case",
            ]
        );
    }

    #[test]
    fn what_is_written_is_read() {
        let written = figures("a\t1\nb\t2\n").to_string();
        assert_eq!(written.parse::<Figures>().unwrap().to_string(), written);
        for bad in ["a\t1\n", "rustc\t1\na 1\n", "rustc\t1\na\tone\n"] {
            assert!(bad.parse::<Figures>().is_err(), "{bad:?}");
        }
    }
}
