//! Texts that itsme® shows: character sets, lengths, languages. One character
//! it does not know aborts the user's flow, so each is checked before sending.

use std::collections::HashSet;

use ades_core::signer::Language;
use unicode_normalization::UnicodeNormalization;

use crate::error::Error;

/// A role may have this many characters.
pub const MAX_ROLE: usize = 50;

/// The character set of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Charset {
    /// ISO 8859-1, of roles
    Latin1,
    /// ISO 8859-15, of descriptions
    Latin9,
}

impl Charset {
    /// Whether the set has this character. Control characters never pass.
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

/// Composes (NFC), and checks characters and length; with `transliterate`,
/// typographic quotes, dashes, dots and spaces become plain ones first.
///
/// # Errors
/// [`Error::UnsupportedCharacter`] with the position in the composed text,
/// [`Error::TextTooLong`].
pub fn check(
    field: &'static str,
    text: &str,
    charset: Charset,
    max: usize,
    transliterate: bool,
) -> Result<String, Error> {
    let composed: String = text.nfc().collect();
    let composed = if transliterate { plain(&composed) } else { composed };
    if let Some((index, char)) = composed.chars().enumerate().find(|(_, c)| !charset.has(*c)) {
        return Err(Error::UnsupportedCharacter { field, index, char });
    }
    let found = composed.chars().count();
    if found > max { Err(Error::TextTooLong { field, found, max }) } else { Ok(composed) }
}

/// Checks a text that has to be there in all four languages, or not at all.
/// Empty texts count as absent.
///
/// # Errors
/// [`Error::MissingTranslation`], [`Error::RepeatedTranslation`], and as
/// [`check`].
pub fn check_translations(
    field: &'static str,
    texts: &[(Language, String)],
    charset: Charset,
    max: usize,
    transliterate: bool,
) -> Result<Vec<(Language, String)>, Error> {
    let texts: Vec<_> = texts.iter().filter(|(_, text)| !text.is_empty()).collect();
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let mut earlier = HashSet::new();
    if let Some((language, _)) = texts.iter().find(|(language, _)| !earlier.insert(*language)) {
        return Err(Error::RepeatedTranslation { field, language: *language });
    }
    let missing: Vec<Language> =
        Language::ALL.into_iter().filter(|language| !earlier.contains(language)).collect();
    if !missing.is_empty() {
        return Err(Error::MissingTranslation { field, missing });
    }
    texts
        .into_iter()
        .map(|(language, text)| Ok((*language, check(field, text, charset, max, transliterate)?)))
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
