//! Text in a rectangle: wrapped, as large as fits.

use unicode_normalization::UnicodeNormalization;

use super::font::Font;
use super::form::number;
use crate::error::Error;

/// Font sizes, in quarters of a point.
const LARGEST: u32 = 48;
const SMALLEST: u32 = 8;
/// From line to line, as a part of the letters' extent.
const LEADING: f64 = 1.05;

/// Text that goes from right to left, or whose letters change with their
/// neighbours: more than one glyph after the other.
const fn needs_shaping(character: char) -> bool {
    matches!(character,
        '\u{0590}'..='\u{08FF}' | '\u{0900}'..='\u{0DFF}' | '\u{0F00}'..='\u{109F}'
        | '\u{1780}'..='\u{17FF}' | '\u{1800}'..='\u{18AF}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FB1D}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFF}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// What draws a text into a box, `left` and `bottom` being its corner.
pub(crate) fn lay_out(
    text: &str,
    font: &mut Font<'_>,
    [left, bottom, width, height]: [f64; 4],
) -> Result<String, Error> {
    // Letters and their accents in one character, where there is one.
    let text: String = text.nfc().collect();
    if let Some(character) = text.chars().find(|it| needs_shaping(*it)) {
        return Err(Error::NoGlyph { character });
    }
    let (above, below) = font.extent();
    let line_height = (above + below) * LEADING;
    for quarters in (SMALLEST..=LARGEST).rev() {
        let size = f64::from(quarters) / 4.0;
        let lines = wrap(&text, font, width * 1000.0 / size)?;
        let whole = line_height * size * lines.len() as f64;
        let Some(lines) = lines.fits(whole <= height) else {
            continue;
        };
        let first = bottom + (height + whole) / 2.0 - above * size;
        let mut out = format!(
            "BT /F0 {} Tf {} TL {} {} Td\n",
            number(size),
            number(line_height * size),
            number(left),
            number(first)
        );
        for line in lines {
            out.push_str(&format!("<{}> Tj T*\n", font.encode(&line)?));
        }
        out.push_str("ET\n");
        return Ok(out);
    }
    Err(Error::Appearance { problem: "the text does not fit its rectangle" })
}

/// Lines, and whether a word is wider than the box.
struct Lines {
    lines: Vec<String>,
    too_wide: bool,
}

impl Lines {
    const fn len(&self) -> usize {
        self.lines.len()
    }

    fn fits(self, height: bool) -> Option<Vec<String>> {
        (height && !self.too_wide).then_some(self.lines)
    }
}

/// Breaks lines at spaces; `width` is in thousandths of the font's size.
fn wrap(text: &str, font: &Font<'_>, width: f64) -> Result<Lines, Error> {
    let measure = |word: &str| -> Result<f64, Error> {
        word.chars().try_fold(0.0, |sum, it| Ok(sum + f64::from(font.width(it)?)))
    };
    let space = measure(" ")?;
    let mut out = Lines { lines: Vec::new(), too_wide: false };
    for paragraph in text.lines() {
        let (mut line, mut used) = (String::new(), 0.0);
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let own = measure(word)?;
            out.too_wide |= own > width;
            if !line.is_empty() && used + space + own > width {
                out.lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            if !line.is_empty() {
                line.push(' ');
                used += space;
            }
            line.push_str(word);
            used += own;
        }
        out.lines.push(line);
    }
    Ok(out)
}
