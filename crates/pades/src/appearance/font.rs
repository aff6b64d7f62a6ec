//! A subset of a TrueType font, as a composite font (ISO 32000-2, 9.7): codes
//! are glyphs, and a map says which character each of them is.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use subsetter::GlyphRemapper;
use ttf_parser::Face;

use crate::error::Error;
use crate::file::Pdf;
use crate::syntax::{Reference, name};
use crate::update::Update;

/// A font, and what is used of it.
pub(crate) struct Font<'a> {
    data: &'a [u8],
    face: Face<'a>,
    glyphs: GlyphRemapper,
    characters: BTreeMap<u16, char>,
}

impl<'a> Font<'a> {
    pub(crate) fn read(data: &'a [u8]) -> Result<Self, Error> {
        let face = Face::parse(data, 0);
        let face = face.map_err(|_| Error::Appearance { problem: "the font does not read" })?;
        if face.tables().glyf.is_none() || face.units_per_em() == 0 {
            let problem = "the font has no TrueType outlines";
            return Err(Error::Appearance { problem });
        }
        Ok(Self { data, face, glyphs: GlyphRemapper::new(), characters: BTreeMap::new() })
    }

    /// In thousandths of the font's size.
    fn scaled(&self, units: i16) -> f64 {
        f64::from(units) * 1000.0 / f64::from(self.face.units_per_em())
    }

    /// How far letters reach above and below the line, as parts of the size.
    pub(crate) fn extent(&self) -> (f64, f64) {
        let (above, below) = (self.face.ascender(), self.face.descender());
        (self.scaled(above) / 1000.0, -self.scaled(below) / 1000.0)
    }

    /// The width of a character in thousandths of the size.
    pub(crate) fn width(&self, character: char) -> Result<u32, Error> {
        let glyph = self.face.glyph_index(character).filter(|glyph| glyph.0 != 0);
        let glyph = glyph.ok_or(Error::NoGlyph { character })?;
        Ok(self.advance(glyph.0))
    }

    fn advance(&self, glyph: u16) -> u32 {
        let advance = self.face.glyph_hor_advance(ttf_parser::GlyphId(glyph)).unwrap_or(0);
        (f64::from(advance) * 1000.0 / f64::from(self.face.units_per_em())).round() as u32
    }

    /// The codes that show a line.
    pub(crate) fn encode(&mut self, line: &str) -> Result<String, Error> {
        let mut out = String::new();
        for character in line.chars() {
            let glyph = self.face.glyph_index(character).ok_or(Error::NoGlyph { character })?;
            let code = self.glyphs.remap(glyph.0);
            self.characters.entry(code).or_insert(character);
            out.push_str(&format!("{code:04X}"));
        }
        Ok(out)
    }

    /// Adds the font with all that was encoded.
    pub(crate) fn embed(self, pdf: &Pdf<'_>, update: &mut Update) -> Result<Reference, Error> {
        let problem = "the font cannot be embedded";
        let subset = subsetter::subset(self.data, 0, &self.glyphs);
        let subset = subset.map_err(|_| Error::Appearance { problem })?;
        let count = Face::parse(&subset, 0).map_err(|_| Error::Appearance { problem })?;
        let count = usize::from(count.number_of_glyphs());

        let file = update.allocate();
        update.add_stream(pdf, file, &format!("/Length1 {}", subset.len()), &subset);
        // PDF/A-1 wants to know which glyphs there are: the first ones.
        let mut set = vec![0xFF; count / 8];
        set.push(!(0xFF_u8.checked_shr((count % 8) as u32).unwrap_or(0)));
        let cid_set = update.allocate();
        update.add_stream(pdf, cid_set, "", &set);
        let to_unicode = update.allocate();
        update.add_stream(pdf, to_unicode, "", self.to_unicode().as_bytes());

        let base = self.base_name(&subset);
        let base = String::from_utf8_lossy(&base).into_owned();
        let descriptor = update.allocate();
        let bounds = self.face.global_bounding_box();
        let [left, bottom, right, top] = [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max]
            .map(|units| self.scaled(units).round());
        let cap_height = self.face.capital_height().unwrap_or_else(|| self.face.ascender());
        let entries = format!(
            "<</Type/FontDescriptor/FontName{base}/Flags 4/FontBBox[{left} {bottom} {right} {top}]\
             /ItalicAngle {}/Ascent {}/Descent {}/CapHeight {}/StemV 80/FontFile2 {file}/CIDSet {cid_set}>>",
            self.face.italic_angle().round(),
            self.scaled(self.face.ascender()).round(),
            self.scaled(self.face.descender()).round(),
            self.scaled(cap_height).round(),
        );
        update.put(descriptor, entries.into_bytes());

        let widths = self.glyphs.remapped_gids().map(|glyph| self.advance(glyph).to_string());
        let widths = widths.collect::<Vec<_>>().join(" ");
        let descendant = update.allocate();
        let entries = format!(
            "<</Type/Font/Subtype/CIDFontType2/BaseFont{base}/FontDescriptor {descriptor}\
             /CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>\
             /CIDToGIDMap/Identity/W[0[{widths}]]>>"
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

    /// The name of a subset begins with six letters of its own (9.9.2).
    fn base_name(&self, subset: &[u8]) -> Vec<u8> {
        let digest = Sha256::digest(subset);
        let tag = digest.iter().take(6).map(|octet| char::from(b'A' + octet % 26));
        let names = self.face.names().into_iter();
        let mut names = names.filter(|it| it.name_id == ttf_parser::name_id::POST_SCRIPT_NAME);
        let own = names.find_map(|it| it.to_string()).unwrap_or_else(|| "Font".to_owned());
        name(format!("{}+{own}", tag.collect::<String>()).as_bytes())
    }

    /// Which characters the codes are (9.10.3).
    fn to_unicode(&self) -> String {
        let mut out = "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n\
             /CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n\
             /CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n\
             1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n"
            .to_owned();
        let pairs: Vec<_> = self.characters.iter().collect();
        for block in pairs.chunks(100) {
            out.push_str(&format!("{} beginbfchar\n", block.len()));
            for (code, character) in block {
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units).iter();
                let units = units.map(|unit| format!("{unit:04X}")).collect::<String>();
                out.push_str(&format!("<{code:04X}><{units}>\n"));
            }
            out.push_str("endbfchar\n");
        }
        out.push_str("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
        out
    }
}
