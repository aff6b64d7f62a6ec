//! A small PDF of one page, by cross-reference table or stream.

use std::io::Write as _;

/// How a file says where its objects are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CrossReference {
    /// ISO 32000-2, 7.5.4
    Table,
    /// ISO 32000-2, 7.5.8
    Stream,
}

/// What a document has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pdf<'a> {
    pub(crate) cross_reference: CrossReference,
    /// The name of an empty signature field, without periods.
    pub(crate) signature_field: Option<&'a str>,
    /// Further entries of the catalog.
    pub(crate) catalog: &'a str,
    /// What stands before the header.
    pub(crate) junk: &'a str,
}

impl Default for Pdf<'_> {
    fn default() -> Self {
        Self {
            cross_reference: CrossReference::Table,
            signature_field: None,
            catalog: "",
            junk: "",
        }
    }
}

impl Pdf<'_> {
    pub(crate) fn build(self) -> Vec<u8> {
        let content = "BT /F1 24 Tf 72 700 Td (Contract) Tj ET";
        let (form, annotations) = match self.signature_field {
            Some(_) => ("/AcroForm<</Fields[6 0 R]>>", "/Annots[6 0 R]"),
            None => ("", ""),
        };
        let mut objects = vec![
            format!("<</Type/Catalog/Pages 2 0 R{form}{}>>", self.catalog),
            "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
            format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R\
                 /Resources<</Font<</F1 5 0 R>>>>{annotations}>>"
            ),
            format!("<</Length {}>>\nstream\n{content}\nendstream", content.len()),
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
        ];
        if let Some(name) = self.signature_field {
            objects.push(format!(
                "<</Type/Annot/Subtype/Widget/FT/Sig/T({name})/F 4/Rect[72 72 272 132]/P 3 0 R>>"
            ));
        }
        self.write(&objects)
    }

    /// Offsets count from the header (as viewers do), not from the junk before it.
    fn write(self, objects: &[String]) -> Vec<u8> {
        let mut file = b"%PDF-1.7\n".to_vec();
        let mut offsets = Vec::new();
        for (number, object) in (1..).zip(objects) {
            offsets.push(u32::try_from(file.len()).unwrap());
            write!(file, "{number} 0 obj\n{object}\nendobj\n").unwrap();
        }
        let start = u32::try_from(file.len()).unwrap();
        let size = objects.len() + 1;
        match self.cross_reference {
            CrossReference::Table => {
                write!(file, "xref\n0 {size}\n0000000000 65535 f \n").unwrap();
                for offset in offsets {
                    writeln!(file, "{offset:010} 00000 n ").unwrap();
                }
                write!(file, "trailer\n<</Size {size}/Root 1 0 R>>\n").unwrap();
            }
            CrossReference::Stream => {
                // Type, offset and generation, in 1, 4 and 1 octets.
                let entry = |offset: u32| [&[1][..], &offset.to_be_bytes(), &[0]].concat();
                let mut entries = vec![0; 6];
                entries.extend(offsets.into_iter().chain([start]).flat_map(entry));
                let (length, all) = (entries.len(), size + 1);
                write!(
                    file,
                    "{size} 0 obj\n<</Type/XRef/Size {all}/W[1 4 1]/Root 1 0 R/Length {length}>>\n\
                     stream\n"
                )
                .unwrap();
                file.extend(entries);
                file.extend(b"\nendstream\nendobj\n");
            }
        }
        write!(file, "startxref\n{start}\n%%EOF\n").unwrap();
        [self.junk.as_bytes(), &file].concat()
    }
}
