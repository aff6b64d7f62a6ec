//! Text in a rectangle: wrapped, in the largest size that fits, each line in visual
//! order.

use unicode_bidi::BidiInfo;
use unicode_normalization::UnicodeNormalization;

use super::font::{Font, Glyph};
use super::form::number;
use super::style::{Alignment, HorizontalAlignment};
use crate::error::{AppearanceFault, Error};

/// Font sizes, in quarters of a point.
const LARGEST: u32 = 48;
const SMALLEST: u32 = 8;
/// The distance between lines, in relation to the letters' extent.
const LEADING: f64 = 1.05;

/// Control characters and overrides of the text direction: with them, the visible
/// text would differ from the written text.
fn misleads(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A word, and its width at size 1000.
struct Word<'t> {
    text: &'t str,
    width: f64,
}

/// The operators that draw a text into a box with its lower left corner at `left` and
/// `bottom`.
pub(crate) fn lay_out(
    text: &str,
    font: &mut Font<'_>,
    [left, bottom, width, height]: [f64; 4],
    alignment: Alignment,
) -> Result<String, Error> {
    // Letters and accents become one character where Unicode has it.
    let text: String = text.nfc().collect();
    let paragraphs: Vec<Vec<Word<'_>>> =
        text.lines().map(|line| words(line, font)).collect::<Result<_, _>>()?;
    let space = measure(&font.shape(" ", false)?);
    let (above, below) = font.extent();
    let line_height = (above + below) / 1000.0 * LEADING;
    for quarters in (SMALLEST..=LARGEST).rev() {
        let size = f64::from(quarters) / 4.0;
        let Some(lines) = wrap(&paragraphs, space, width * 1000.0 / size) else {
            continue;
        };
        let whole = line_height * size * lines.len() as f64;
        if whole > height {
            continue;
        }
        let top = bottom + alignment.offset_from_bottom(height - whole) + whole;
        let mut up = top - above / 1000.0 * size;
        let mut out = format!("BT /F0 {} Tf\n", number(size));
        for line in lines {
            let (glyphs, start) = in_order(&line, font)?;
            let own = measure(&glyphs) * size / 1000.0;
            let x = left + alignment.horizontal.unwrap_or(start).offset_from_left(width - own);
            out.push_str(&format!("1 0 0 1 {} {} Tm ", number(x), number(up)));
            show(&mut out, font, &glyphs, size);
            up -= line_height * size;
        }
        out.push_str("ET\n");
        return Ok(out);
    }
    Err(Error::Appearance { problem: AppearanceFault::TextDoesNotFit })
}

fn words<'t>(line: &'t str, font: &Font<'_>) -> Result<Vec<Word<'t>>, Error> {
    if line.chars().any(misleads) {
        return Err(Error::Appearance { problem: AppearanceFault::ControlCharacters });
    }
    let words = line.split(' ').filter(|word| !word.is_empty());
    // Measured from left to right: the direction hardly changes the width.
    words.map(|text| Ok(Word { text, width: measure(&font.shape(text, false)?) })).collect()
}

fn measure(glyphs: &[Glyph]) -> f64 {
    glyphs.iter().map(|glyph| glyph.advance).sum()
}

/// Breaks lines at spaces; `None` if a word is wider than the box.
fn wrap(paragraphs: &[Vec<Word<'_>>], space: f64, width: f64) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    for paragraph in paragraphs {
        let (mut line, mut used) = (String::new(), 0.0);
        for word in paragraph {
            if word.width > width {
                return None;
            }
            if !line.is_empty() && used + space + word.width > width {
                lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            if !line.is_empty() {
                line.push(' ');
                used += space;
            }
            line.push_str(word.text);
            used += word.width;
        }
        lines.push(line);
    }
    Some(lines)
}

/// A line's glyphs from left to right (UAX 9), and the side where it begins.
fn in_order(line: &str, font: &Font<'_>) -> Result<(Vec<Glyph>, HorizontalAlignment), Error> {
    let bidi = BidiInfo::new(line, None);
    let mut glyphs = Vec::new();
    let mut start = HorizontalAlignment::Left;
    for paragraph in &bidi.paragraphs {
        if paragraph.level.is_rtl() {
            start = HorizontalAlignment::Right;
        }
        let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
        for run in runs {
            let right_to_left = levels.get(run.start).is_some_and(unicode_bidi::Level::is_rtl);
            // Words may have different scripts: each is shaped alone.
            let mut words: Vec<&str> =
                line.get(run).unwrap_or_default().split_inclusive(' ').collect();
            if right_to_left {
                words.reverse();
            }
            for word in words {
                glyphs.extend(font.shape(word, right_to_left)?);
            }
        }
    }
    Ok((glyphs, start))
}

/// Shows glyphs at their positions (ISO 32000-2, 9.4.3, 9.3.7).
fn show(out: &mut String, font: &mut Font<'_>, glyphs: &[Glyph], size: f64) {
    out.push('[');
    // The horizontal adjustment before the next glyph, in thousandths of the size.
    let mut ahead = 0.0;
    for glyph in glyphs {
        let [right, up] = glyph.offset;
        ahead += right;
        if ahead.abs() >= 0.5 {
            out.push_str(&number(-ahead));
            ahead = 0.0;
        }
        let code = font.encode(glyph);
        if up.abs() >= 0.5 {
            let rise = number(up * size / 1000.0);
            out.push_str(&format!("] TJ {rise} Ts <{code:04X}> Tj 0 Ts ["));
        } else {
            out.push_str(&format!("<{code:04X}>"));
        }
        ahead += glyph.advance - right - glyph.width;
    }
    out.push_str("] TJ\n");
}
