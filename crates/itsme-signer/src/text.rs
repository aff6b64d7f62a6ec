//! The texts that itsme® shows: character sets, lengths, languages. itsme®
//! aborts the user's flow at one character outside the set, so this crate
//! checks every text before it sends any.

use std::collections::HashSet;
use std::fmt;

use ades_core::signer::Language;
use unicode_normalization::UnicodeNormalization;

use crate::error::Error;

/// Maximum length of a role, in characters.
pub const MAX_ROLE: usize = 50;

/// A text that itsme® shows with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextField {
    /// The description of the documents
    Description,
    /// The role in which the user signs
    Role,
}

impl TextField {
    /// The character set of this text.
    #[must_use]
    pub const fn charset(self) -> Charset {
        match self {
            Self::Description => Charset::Latin9,
            Self::Role => Charset::Latin1,
        }
    }
}

impl fmt::Display for TextField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Description => "description",
            Self::Role => "role",
        })
    }
}

/// A character set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Charset {
    /// ISO 8859-1
    Latin1,
    /// ISO 8859-15
    Latin9,
}

impl Charset {
    /// Whether the set has this character. Control characters do not count.
    #[must_use]
    pub const fn has(self, c: char) -> bool {
        let latin1 = matches!(c, ' '..='~' | '\u{A0}'..='\u{FF}');
        match self {
            Self::Latin1 => latin1,
            Self::Latin9 => match c {
                '¤' | '¦' | '¨' | '´' | '¸' | '¼' | '½' | '¾' => false,
                '€' | 'Š' | 'š' | 'Ž' | 'ž' | 'Œ' | 'œ' | 'Ÿ' => true,
                _ => latin1,
            },
        }
    }
}

/// Returns the text in Unicode's composed form (NFC) if its characters and its
/// length are acceptable. With `transliterate`, plain characters replace
/// typographic quotes, dashes, dots and spaces first.
///
/// # Errors
/// [`Error::UnsupportedCharacter`] with the position in the composed text,
/// [`Error::TextTooLong`].
pub fn check(
    field: TextField,
    text: &str,
    max: usize,
    transliterate: bool,
) -> Result<String, Error> {
    let composed: String = text.nfc().collect();
    let composed = if transliterate { plain(&composed) } else { composed };
    let charset = field.charset();
    if let Some((index, char)) = composed.chars().enumerate().find(|(_, c)| !charset.has(*c)) {
        return Err(Error::UnsupportedCharacter { field, index, char });
    }
    let found = composed.chars().count();
    if found > max { Err(Error::TextTooLong { field, found, max }) } else { Ok(composed) }
}

/// Checks the translations of a text: one in each of the languages that itsme®
/// offers, or none at all. Those in other languages are left out. An empty text
/// counts as absent.
///
/// # Errors
/// [`Error::MissingTranslation`], [`Error::RepeatedTranslation`], and those of
/// [`check`].
pub fn check_translations(
    field: TextField,
    texts: &[(Language, String)],
    languages: &[Language],
    max: usize,
    transliterate: bool,
) -> Result<Vec<(Language, String)>, Error> {
    let texts: Vec<_> = texts.iter().filter(|(_, text)| !text.is_empty()).collect();
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let mut seen = HashSet::new();
    if let Some((language, _)) = texts.iter().find(|(language, _)| !seen.insert(*language)) {
        return Err(Error::RepeatedTranslation { field, language: *language });
    }
    let missing: Vec<Language> =
        languages.iter().copied().filter(|language| !seen.contains(language)).collect();
    if !missing.is_empty() {
        return Err(Error::MissingTranslation { field, missing });
    }
    texts
        .into_iter()
        .filter(|(language, _)| languages.contains(language))
        .map(|(language, text)| Ok((*language, check(field, text, max, transliterate)?)))
        .collect()
}

fn plain(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}' | '\u{2032}' => out.push('\''),
            '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{201F}' | '\u{2033}' => out.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
            '\u{2026}' => out.push_str("..."),
            '\u{2022}' => out.push('*'),
            '\u{2000}'..='\u{200A}' | '\u{202F}' => out.push(' '),
            '\u{200B}'..='\u{200D}' | '\u{FEFF}' => {}
            c => out.push(c),
        }
        out
    })
}
