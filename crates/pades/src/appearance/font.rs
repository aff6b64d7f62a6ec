//! A subset of a font, as a composite font (ISO 32000-2, 9.7). Its codes are glyph
//! numbers; a `/ToUnicode` map has the text of each.

use std::collections::BTreeMap;

use harfrust::{Buffer, ClusterLevel, Direction, GlyphId, ShapeOptions, ShaperFont};
use read_fonts::types::NameId;
use sha2::{Digest as _, Sha256};
use subsetter::GlyphRemapper;

use crate::error::{AppearanceFault, Error};
use crate::extend::Update;
use crate::file::Pdf;
use crate::syntax::{Reference, name};

/// The text of the second and further glyphs of one character.
const NOTHING: &str = "\u{200B}";

const fn fail(problem: AppearanceFault) -> Error {
    Error::Appearance { problem }
}

/// A font, and the glyphs in use. All measures are in thousandths of the font size.
pub(crate) struct Font<'a> {
    data: &'a [u8],
    font: harfrust::Font,
    glyphs: GlyphRemapper,
    texts: BTreeMap<u16, String>,
}

/// A glyph and its position.
#[derive(Clone, Debug)]
pub(crate) struct Glyph {
    id: u16,
    /// Its own width.
    pub(crate) width: f64,
    /// The distance to the next glyph.
    pub(crate) advance: f64,
    /// The offset to the right and upwards at which it is drawn.
    pub(crate) offset: [f64; 2],
    /// Its text.
    text: String,
}

impl<'a> Font<'a> {
    pub(crate) fn read(data: &'a [u8]) -> Result<Self, Error> {
        let font = harfrust::Font::new(data.to_vec(), 0);
        let font = font.ok_or(fail(AppearanceFault::UnreadableFont))?;
        if font.units_per_em() == 0 || font.num_glyphs() == 0 {
            return Err(fail(AppearanceFault::FontWithoutGlyphs));
        }
        Ok(Self { data, font, glyphs: GlyphRemapper::new(), texts: BTreeMap::new() })
    }

    fn scaled(&self, units: f64) -> f64 {
        units * 1000.0 / f64::from(self.font.units_per_em())
    }

    /// The extent of letters above and below the baseline.
    pub(crate) fn extent(&self) -> (f64, f64) {
        let metrics = self.font.metrics();
        let line = metrics.hhea_line.or(metrics.typo_line);
        let line = line.map(|line| (line.ascender.to_f64(), -line.descender.to_f64()));
        let (above, below) =
            line.unwrap_or_else(|| (metrics.bounds.y_max.to_f64(), -metrics.bounds.y_min.to_f64()));
        (self.scaled(above), self.scaled(below))
    }

    /// The glyphs of a word, from left to right.
    pub(crate) fn shape(&self, word: &str, right_to_left: bool) -> Result<Vec<Glyph>, Error> {
        let font = ShaperFont::new(&self.font);
        let mut buffer = Buffer::new();
        buffer.push_str(word);
        buffer.set_cluster_level(ClusterLevel::MonotoneCharacters);
        let direction = if right_to_left { Direction::RightToLeft } else { Direction::LeftToRight };
        buffer.set_direction(direction);
        buffer.guess_segment_properties();
        let shaped = harfrust::shape(&font, &mut buffer, ShapeOptions::default());
        shaped.map_err(|_| fail(AppearanceFault::TextShaping))?;

        let mut starts: Vec<usize> =
            buffer.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        starts.sort_unstable();
        starts.dedup();
        let mut taken = None;
        let glyphs = buffer.glyph_infos().iter().zip(buffer.glyph_positions());
        let glyphs = glyphs.map(|(info, position)| {
            let from = info.cluster as usize;
            let to = starts.iter().find(|start| **start > from).copied().unwrap_or(word.len());
            let text = word.get(from..to).unwrap_or_default();
            let id = u16::try_from(info.glyph_id).ok().filter(|id| *id != 0);
            let character = text.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
            let id = id.ok_or(Error::NoGlyph { character })?;
            let first = taken.replace(from) != Some(from);
            Ok(Glyph {
                id,
                width: self.scaled(f64::from(font.glyph_h_advance(GlyphId::from(id)))).round(),
                advance: self.scaled(f64::from(position.x_advance)),
                offset: [position.x_offset, position.y_offset]
                    .map(|units| self.scaled(f64::from(units))),
                text: if first { text } else { NOTHING }.to_owned(),
            })
        });
        glyphs.collect()
    }

    /// The code that shows a glyph.
    pub(crate) fn encode(&mut self, glyph: &Glyph) -> u16 {
        let code = self.glyphs.remap(glyph.id);
        self.texts.entry(code).or_insert_with(|| glyph.text.clone());
        code
    }

    /// Adds the font with all encoded glyphs to the update.
    pub(crate) fn embed(self, pdf: &Pdf<'_>, update: &mut Update) -> Result<Reference, Error> {
        let subset = subsetter::subset(self.data, 0, &self.glyphs);
        let subset = subset.map_err(|_| fail(AppearanceFault::FontOutlines))?;
        let file = update.allocate();
        // Only the CFF table of a font with CFF outlines is embedded: PDF/A-1 does
        // not allow a whole OpenType font (table 124).
        let compact = subset.starts_with(b"OTTO").then(|| table(&subset, b"CFF "));
        let (kind, key) = match compact {
            Some(outlines) => {
                let outlines = outlines.ok_or(fail(AppearanceFault::FontOutlines))?;
                update.add_stream(pdf, file, "/Subtype/CIDFontType0C", outlines);
                ("CIDFontType0", "FontFile3")
            }
            None => {
                update.add_stream(pdf, file, &format!("/Length1 {}", subset.len()), &subset);
                ("CIDFontType2/CIDToGIDMap/Identity", "FontFile2")
            }
        };
        let cid_set = update.allocate();
        update.add_stream(pdf, cid_set, "", &cid_set_of(&subset));
        let to_unicode = update.allocate();
        update.add_stream(pdf, to_unicode, "", self.to_unicode().as_bytes());

        let base = self.base_name(&subset);
        let base = String::from_utf8_lossy(&base).into_owned();
        let descriptor = update.allocate();
        let files = format!("/{key} {file}/CIDSet {cid_set}");
        let entries = self.descriptor(&base, &files);
        update.put(descriptor, entries.into_bytes());

        let font = ShaperFont::new(&self.font);
        let width = |id: u16| self.scaled(f64::from(font.glyph_h_advance(GlyphId::from(id))));
        let widths = self.glyphs.remapped_gids().map(|id| width(id).round().to_string());
        let widths = widths.collect::<Vec<_>>().join(" ");
        let descendant = update.allocate();
        let entries = format!(
            "<</Type/Font/Subtype/{kind}/BaseFont{base}/FontDescriptor {descriptor}\
             /CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>\
             /W[0[{widths}]]>>"
        );
        update.add(pdf, descendant, entries.into_bytes())?;
        let font = update.allocate();
        let entries = format!(
            "<</Type/Font/Subtype/Type0/BaseFont{base}/Encoding/Identity-H\
             /DescendantFonts[{descendant}]/ToUnicode {to_unicode}>>"
        );
        update.put(font, entries.into_bytes());
        Ok(font)
    }

    /// The font descriptor of a subset; `files`: its entries that refer to streams.
    fn descriptor(&self, base: &str, files: &str) -> String {
        let (metrics, (above, below)) = (self.font.metrics(), self.extent());
        let bounds = metrics.bounds;
        let [left, bottom, right, top] = [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max]
            .map(|units| self.scaled(units.to_f64()).round());
        let cap_height = metrics.cap_height.map_or(above, |units| self.scaled(units.to_f64()));
        let angle = self.font.style_metrics().italic_angle.map_or(0.0, |angle| angle.to_f64());
        format!(
            "<</Type/FontDescriptor/FontName{base}/Flags 4/FontBBox[{left} {bottom} {right} {top}]\
             /ItalicAngle {}/Ascent {}/Descent {}/CapHeight {}/StemV 80{files}>>",
            angle.round(),
            above.round(),
            -below.round(),
            cap_height.round(),
        )
    }

    /// The name of a subset begins with a tag of six letters (9.9.2).
    fn base_name(&self, subset: &[u8]) -> Vec<u8> {
        let digest = Sha256::digest(subset);
        let tag = digest.iter().take(6).map(|octet| char::from(b'A' + octet % 26));
        let own = self.font.names().get(NameId::POSTSCRIPT_NAME);
        let own = own.and_then(|names| names.english_or_first());
        let own = own.map_or_else(|| "Font".to_owned(), |own| own.name().chars().collect());
        name(format!("{}+{own}", tag.collect::<String>()).as_bytes())
    }

    /// The map from codes to text (9.10.3).
    fn to_unicode(&self) -> String {
        let mut out = "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n\
             /CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n\
             /CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n\
             1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n"
            .to_owned();
        let pairs: Vec<_> = self.texts.iter().collect();
        for block in pairs.chunks(100) {
            out.push_str(&format!("{} beginbfchar\n", block.len()));
            for (code, text) in block {
                let units = text.encode_utf16().map(|unit| format!("{unit:04X}"));
                out.push_str(&format!("<{code:04X}><{}>\n", units.collect::<String>()));
            }
            out.push_str("endbfchar\n");
        }
        out.push_str("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
        out
    }
}

/// The `/CIDSet` of a subset, which PDF/A-1 requires. The glyphs of a subset are numbered
/// without gaps.
fn cid_set_of(subset: &[u8]) -> Vec<u8> {
    let count = table(subset, b"maxp").and_then(|maxp| maxp.get(4..)?.first_chunk());
    let count = usize::from(count.map_or(0, |count| u16::from_be_bytes(*count)));
    let mut set = vec![0xFF; count / 8];
    set.push(!(0xFF_u8.checked_shr((count % 8) as u32).unwrap_or(0)));
    set
}

/// A table of an OpenType font.
fn table<'f>(font: &'f [u8], tag: &[u8; 4]) -> Option<&'f [u8]> {
    let count = u16::from_be_bytes(*font.get(4..)?.first_chunk()?);
    let records = font.get(12..)?.as_chunks::<16>().0;
    let record = records.iter().take(usize::from(count)).find(|record| record.starts_with(tag))?;
    let number = |at: usize| Some(u32::from_be_bytes(*record.get(at..)?.first_chunk()?) as usize);
    font.get(number(8)?..)?.get(..number(12)?)
}
