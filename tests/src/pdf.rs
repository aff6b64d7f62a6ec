//! PDF documents for tests: small ones with one special feature each, identical
//! in every run, and large ones for benchmarks.

use std::fmt::Write as _;

use test_documents::Random;

mod alter;
pub mod archival;
pub mod by_hand;
mod kinds;
pub mod packed;
mod sample;
mod serialize;

pub use alter::{
    Encryption, encrypted, junk_before, linearized, nuls_after, object_streams, prev_loop,
    unsigned_change, wrong_startxref,
};
pub use kinds::{Kind, Outcome, kinds};
pub use sample::{Sample, samples};
pub use serialize::Xref;
use serialize::{Objects, trailer};
pub use test_documents::large_pdf::{write_image_pages, write_many_objects};

/// The form of the pages' `/Annots`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annots {
    /// None, unless there are fields.
    Absent,
    /// A direct array.
    Direct,
    /// A reference to an array.
    Indirect,
    /// References to one array for all pages.
    Shared,
}

/// The form of the catalog's `/AcroForm`. Unless absent, it has a text field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// None, unless there are signature fields.
    Absent,
    /// A direct dictionary.
    Inline,
    /// A reference.
    Indirect,
}

/// The features of a document.
#[derive(Clone, Debug)]
pub struct Document {
    /// The version in the header.
    pub version: &'static str,
    /// The kind of cross-reference section.
    pub xref: Xref,
    /// The number of pages.
    pub pages: u32,
    /// The form of the pages' annotations, a square on each page.
    pub annots: Annots,
    /// The interactive form, with a text field `Text` on the first page.
    pub form: Form,
    /// Empty signature fields on the first page. `a.b` is the child `b` of `a`.
    pub signature_fields: &'static [&'static str],
    /// Further entries of the signature fields, such as `/SV` and `/Lock`.
    pub field_entries: &'static str,
    /// Whether `/Resources` and `/MediaBox` are only in the root of the page tree.
    pub inherited: bool,
    /// `/Rotate` of every page.
    pub rotate: u32,
    /// `/CropBox` of every page.
    pub crop_box: Option<[u32; 4]>,
    /// Number of additional levels of the page tree and of an array in the catalog.
    pub depth: u32,
    /// The seed of the page contents.
    pub seed: u64,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            version: "1.7",
            xref: Xref::Table,
            pages: 2,
            annots: Annots::Absent,
            form: Form::Absent,
            signature_fields: &[],
            field_entries: "",
            inherited: false,
            rotate: 0,
            crop_box: None,
            depth: 0,
            seed: 1,
        }
    }
}

impl Document {
    /// Writes the file.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut objects = Objects::default();
        let [catalog, root] = [objects.reserve(), objects.reserve()];
        let font = objects.add("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>");
        let info = objects.add(&format!("<</Title(Test document {})>>", self.seed));

        let shared = format!("/Resources<</Font<</F1 {font} 0 R>>>>/MediaBox[0 0 595 842]");
        let parent = self.page_tree(&mut objects, root, &shared);
        let pages: Vec<u32> = (0..self.pages).map(|_| objects.reserve()).collect();
        objects.set(parent.node, &parent.dictionary(&pages));

        let (fields, widgets) = self.fields(&mut objects, pages[0], font);
        let mut annots: Vec<Vec<u32>> =
            pages.iter().map(|_| self.annotations(&mut objects)).collect();
        annots[0].extend(widgets);
        let shared_annots = (self.annots == Annots::Shared)
            .then(|| objects.add(&format!("[{}]", references(&annots.concat()))));

        let mut random = Random::new(self.seed);
        for (at, &page) in pages.iter().enumerate() {
            let content = content(at + 1, &mut random);
            let content = objects.add_stream("", content.as_bytes());
            let mut entries = self.page_entries(&shared);
            match (self.annots, shared_annots) {
                (_, Some(shared)) => write!(entries, "/Annots {shared} 0 R").unwrap(),
                _ if annots[at].is_empty() => {}
                (Annots::Indirect, _) => {
                    let own = objects.add(&format!("[{}]", references(&annots[at])));
                    write!(entries, "/Annots {own} 0 R").unwrap();
                }
                _ => write!(entries, "/Annots[{}]", references(&annots[at])).unwrap(),
            }
            let parent = parent.node;
            objects.set(
                page,
                &format!("<</Type/Page/Parent {parent} 0 R/Contents {content} 0 R{entries}>>"),
            );
        }

        let entries = self.catalog_entries(&mut objects, &fields, font);
        objects.set(catalog, &format!("<</Type/Catalog/Pages {root} 0 R{entries}>>"));
        let id = random.next();
        objects.write(self.version, self.xref, &trailer(catalog, info, id))
    }

    fn page_entries(&self, shared: &str) -> String {
        let mut entries = if self.inherited { String::new() } else { shared.to_owned() };
        if self.rotate != 0 {
            write!(entries, "/Rotate {}", self.rotate).unwrap();
        }
        if let Some([left, bottom, right, top]) = self.crop_box {
            write!(entries, "/CropBox[{left} {bottom} {right} {top}]").unwrap();
        }
        entries
    }

    fn catalog_entries(&self, objects: &mut Objects, fields: &[u32], font: u32) -> String {
        let mut entries = String::new();
        if !fields.is_empty() {
            let form = format!(
                "<</Fields[{}]/DR<</Font<</F1 {font} 0 R>>>>/DA(/F1 10 Tf 0 g)>>",
                references(fields)
            );
            match self.form {
                Form::Inline => write!(entries, "/AcroForm{form}").unwrap(),
                _ => write!(entries, "/AcroForm {} 0 R", objects.add(&form)).unwrap(),
            }
        }
        if self.depth > 0 {
            let levels = self.depth as usize;
            write!(entries, "/Deep{}{}", "[".repeat(levels), "]".repeat(levels)).unwrap();
        }
        if self.xref == Xref::Hybrid {
            let hidden = objects.add_hidden("<</Test<</LastModified(D:20260101000000Z)>>>>");
            write!(entries, "/PieceInfo {hidden} 0 R").unwrap();
        }
        entries
    }

    /// Writes the page tree. Returns the node that has the pages.
    fn page_tree(&self, objects: &mut Objects, root: u32, shared: &str) -> Node {
        let inherited = if self.inherited { shared } else { "" };
        let mut node = Node { node: root, entries: inherited.to_owned() };
        for _ in 0..self.depth {
            let kid = objects.reserve();
            let entries = format!("{}/Count {}", node.entries, self.pages);
            objects.set(node.node, &format!("<</Type/Pages{entries}/Kids[{kid} 0 R]>>"));
            node = Node { node: kid, entries: format!("/Parent {} 0 R", node.node) };
        }
        node
    }

    /// Writes the annotations of a page.
    fn annotations(&self, objects: &mut Objects) -> Vec<u32> {
        if self.annots == Annots::Absent {
            return Vec::new();
        }
        let look = appearance(objects, "0 0 1 RG 2 2 36 36 re S", 40, 40);
        let square = format!(
            "<</Type/Annot/Subtype/Square/Rect[500 40 540 80]/C[0 0 1]/F 4/AP<</N {look} 0 R>>>>"
        );
        vec![objects.add(&square)]
    }

    /// Writes the fields. Returns the root fields of the form and the widgets on the
    /// first page.
    fn fields(&self, objects: &mut Objects, page: u32, font: u32) -> (Vec<u32>, Vec<u32>) {
        let (mut fields, mut widgets) = (Vec::new(), Vec::new());
        if self.form != Form::Absent {
            let text = "/Tx BMC BT /F1 10 Tf 2 6 Td (value) Tj ET EMC";
            let look = objects.add_stream(
                &format!(
                    "/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</F1 {font} 0 R>>>>"
                ),
                text.as_bytes(),
            );
            let field = objects.add(&format!(
                "<</Type/Annot/Subtype/Widget/FT/Tx/T(Text)/V(value)/DA(/F1 10 Tf 0 g)/F 4\
                 /Rect[72 520 272 540]/P {page} 0 R/AP<</N {look} 0 R>>>>"
            ));
            fields.push(field);
            widgets.push(field);
        }
        for (at, name) in self.signature_fields.iter().enumerate() {
            let look = appearance(objects, "", 150, 40);
            let bottom = 450 - 50 * at;
            let widget = format!(
                "/Type/Annot/Subtype/Widget/FT/Sig/F 4/Rect[72 {bottom} 222 {}]/P {page} 0 R\
                 /AP<</N {look} 0 R>>",
                bottom + 40
            );
            let (parent, name) = name.split_once('.').map_or((None, *name), |(a, b)| (Some(a), b));
            let field = objects.reserve();
            let above =
                parent.map(|parent| objects.add(&format!("<</T({parent})/Kids[{field} 0 R]>>")));
            let up = above.map_or_else(String::new, |above| format!("/Parent {above} 0 R"));
            let more = self.field_entries;
            objects.set(field, &format!("<<{widget}/T({name}){up}{more}>>"));
            fields.push(above.unwrap_or(field));
            widgets.push(field);
        }
        (fields, widgets)
    }
}

/// The node of the page tree that has the pages.
struct Node {
    node: u32,
    entries: String,
}

impl Node {
    fn dictionary(&self, pages: &[u32]) -> String {
        let (entries, kids) = (&self.entries, references(pages));
        format!("<</Type/Pages{entries}/Count {}/Kids[{kids}]>>", pages.len())
    }
}

fn references(numbers: &[u32]) -> String {
    numbers.iter().map(|number| format!("{number} 0 R")).collect::<Vec<_>>().join(" ")
}

fn appearance(objects: &mut Objects, content: &str, width: u32, height: u32) -> u32 {
    let entries = format!("/Type/XObject/Subtype/Form/BBox[0 0 {width} {height}]/Resources<<>>");
    objects.add_stream(&entries, content.as_bytes())
}

/// Page content: words and grey boxes.
fn content(page: usize, random: &mut Random) -> String {
    let mut content = format!("BT /F1 14 Tf 72 770 Td (Page {page}) Tj ET\n");
    for line in 0..8 {
        let (grey, width) = (random.next() % 90, 50 + random.next() % 400);
        let (x, y) = (72, 700 - 20 * line);
        writeln!(content, "0.{grey:02} g {x} {y} {width} 12 re f").unwrap();
        let word = random.next();
        writeln!(content, "0 g BT /F1 9 Tf {x} {} Td ({word:x}) Tj ET", y + 3).unwrap();
    }
    content
}
