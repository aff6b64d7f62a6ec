//! Small documents that conform to PDF/A and PDF/UA.

use super::by_hand::{ONE_PAGE, of_version};

/// The profile to which a document claims to conform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// PDF/A-1b
    A1,
    /// PDF/A-2b
    A2,
    /// PDF/A-3b
    A3,
    /// PDF/A-4
    A4,
    /// PDF/UA-1
    Ua1,
    /// PDF/UA-2
    Ua2,
}

impl Claim {
    /// All profiles.
    pub const ALL: [Self; 6] = [Self::A1, Self::A2, Self::A3, Self::A4, Self::Ua1, Self::Ua2];

    const fn version(self) -> &'static str {
        match self {
            Self::A1 => "1.4",
            Self::A4 | Self::Ua2 => "2.0",
            _ => "1.7",
        }
    }

    const fn properties(self) -> &'static str {
        match self {
            Self::A1 => "<pdfaid:part>1</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>",
            Self::A2 => "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>",
            Self::A3 => "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>",
            Self::A4 => "<pdfaid:part>4</pdfaid:part><pdfaid:rev>2020</pdfaid:rev>",
            Self::Ua1 => "<pdfuaid:part>1</pdfuaid:part>",
            Self::Ua2 => "<pdfuaid:part>2</pdfuaid:part><pdfuaid:rev>2024</pdfuaid:rev>",
        }
    }
}

/// The form of the lists in the structure tree of a tagged document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// Arrays and the number tree are direct objects.
    Direct,
    /// They are indirect objects, and the number tree has two levels.
    Indirect,
}

/// A tagged document of one A4 page with a grey square that conforms to the
/// profile that it claims.
#[must_use]
pub fn archival(claim: Claim, structure: Structure) -> Vec<u8> {
    let metadata = format!(
        "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\" \
         xmlns:pdfuaid=\"http://www.aiim.org/pdfua/ns/id/\">{}\
         <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">A square</rdf:li></rdf:Alt></dc:title>\
         </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>",
        claim.properties()
    );
    let metadata = stream("/Type/Metadata/Subtype/XML", &metadata);
    let content = stream("", "/Figure<</MCID 0>>BDC\n/C0 cs 0.5 sc 72 700 72 72 re f\nEMC\n");
    let (kids, numbers, document) = match structure {
        Structure::Direct => ("[7 0 R]", "<</Nums[0[8 0 R]]>>", "8 0 R"),
        Structure::Indirect => ("9 0 R", "10 0 R", "13 0 R"),
    };
    // PDF/UA-2 requires the namespace of PDF 2.0.
    let (namespaces, namespace) = match claim {
        Claim::Ua2 => ("/Namespaces[14 0 R]", "/NS 14 0 R"),
        _ => ("", ""),
    };
    let objects = [
        "<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R/StructTreeRoot 6 0 R/MarkInfo<</Marked true>>\
         /Lang(en)/ViewerPreferences<</DisplayDocTitle true>>>>"
            .to_owned(),
        ONE_PAGE.to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/StructParents 0\
         /Resources<</ColorSpace<</C0[/CalGray<</WhitePoint[0.9505 1 1.089]>>]>>>>>>"
            .to_owned(),
        metadata,
        content,
        format!(
            "<</Type/StructTreeRoot/K {kids}/ParentTree {numbers}/ParentTreeNextKey 1{namespaces}>>"
        ),
        format!("<</Type/StructElem/S/Document/P 6 0 R/K {document}{namespace}>>"),
        format!(
            "<</Type/StructElem/S/Figure/P 7 0 R/Pg 3 0 R/K 0/Alt(A grey square)\
             /A<</O/Layout/BBox[72 700 144 772]>>{namespace}>>"
        ),
        "[7 0 R]".to_owned(),
        "<</Kids 11 0 R>>".to_owned(),
        "[12 0 R]".to_owned(),
        "<</Limits[0 0]/Nums[0[8 0 R]]>>".to_owned(),
        "[8 0 R]".to_owned(),
        "<</Type/Namespace/NS(http://iso.org/pdf2/ssn)>>".to_owned(),
    ];
    let count = objects.len() - usize::from(namespace.is_empty());
    let objects: Vec<&str> = objects.iter().take(count).map(String::as_str).collect();
    let id = "/ID[<000102030405060708090A0B0C0D0E0F><000102030405060708090A0B0C0D0E0F>]";
    of_version(claim.version(), &objects, id)
}

fn stream(entries: &str, data: &str) -> String {
    format!("<<{entries}/Length {}>>\nstream\n{data}\nendstream", data.len())
}
