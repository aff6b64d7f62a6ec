//! One small document of each kind that people send in, sound or not, and what
//! comes of signing it.

use pades::{Certification, SignatureOptions};

use super::archival::{Claim, Structure, archival};
use super::by_hand::{ONE_PAGE, number_of, object, of_objects, of_version, stream, updated};
use super::{
    Annots, Document, Encryption, Form, Sample, Xref, encrypted, junk_before, linearized,
    nuls_after, object_streams, samples, wrong_startxref,
};
use crate::pki::{Key, Pki};
use crate::signing::{parameters, sign_pades, sign_pades_by_stub, sign_pkcs7};

/// What comes of signing a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is signed.
    Signed,
    /// It is signed on request only: its cross-reference is rebuilt.
    Repaired,
    /// It is not signed, repaired or not; the error has these words.
    Refused(&'static str),
}

/// A document and what to know of it.
#[derive(Clone, Debug)]
pub struct Kind {
    /// What is special, in words for a file's name.
    pub name: &'static str,
    /// The file.
    pub octets: Vec<u8>,
    /// The user password, if it is not empty.
    pub password: Option<&'static str>,
    /// What comes of signing it.
    pub outcome: Outcome,
    /// The number of signatures that it has.
    pub signatures: usize,
}

/// One document of each kind: [`samples`], and what programs and gateways make of
/// documents.
#[must_use]
pub fn kinds() -> Vec<Kind> {
    let mut kinds: Vec<Kind> = samples().into_iter().map(of_sample).collect();
    kinds.extend(by_structure());
    kinds.extend(by_form());
    kinds.extend(by_signature());
    kinds.extend(damaged());
    kinds.extend(by_fault());
    kinds.extend(cut_off());
    kinds.extend(by_encryption());
    kinds
}

fn of_sample(sample: Sample) -> Kind {
    let Sample { name, password, sound, octets } = sample;
    let signed = sound || name == "junk-before";
    let outcome = if signed { Outcome::Signed } else { Outcome::Repaired };
    Kind { outcome, password, ..kind(name, octets) }
}

const fn kind(name: &'static str, octets: Vec<u8>) -> Kind {
    Kind { name, octets, password: None, outcome: Outcome::Signed, signatures: 0 }
}

fn repaired(name: &'static str, octets: Vec<u8>) -> Kind {
    Kind { outcome: Outcome::Repaired, ..kind(name, octets) }
}

fn refused(name: &'static str, octets: Vec<u8>, why: &'static str) -> Kind {
    Kind { outcome: Outcome::Refused(why), ..kind(name, octets) }
}

const CATALOG: &str = "<</Type/Catalog/Pages 2 0 R>>";
const PAGE: &str = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R>>";

/// A document of one page; objects after number 4 are `more`.
fn page(catalog: &str, page: &str, more: &[&str]) -> Vec<u8> {
    let content = stream("", "1 0 0 rg 9 9 9 9 re f");
    let objects = [&[catalog, ONE_PAGE, page, &content], more].concat();
    of_objects(&objects, "")
}

/// The entries of an annotation.
const NOTE: &str = "/Type/Annot/Subtype/Text/Rect[20 20 40 40]/F 4/Contents(Note)";

fn replaced(document: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = document.windows(from.len()).rposition(|window| window == from.as_bytes()).unwrap();
    [&document[..at], to.as_bytes(), &document[at + from.len()..]].concat()
}

fn by_structure() -> Vec<Kind> {
    let plain = page(CATALOG, PAGE, &[]);
    let all_versions = ["1.1", "1.3", "1.4", "1.5", "1.6", "1.8"].map(|version| {
        let name: &'static str = format!("version-{version}").leak();
        kind(name, of_version(version, &[CATALOG, ONE_PAGE, "<</Type/Page/Parent 2 0 R>>"], ""))
    });
    // The same length: offsets stay. Number 3 was freed and used again.
    let text = String::from_utf8_lossy(&plain).into_owned();
    let third = text.split(" 00000 n \n").nth(2).unwrap().to_owned();
    let generation = [
        ("3 0 obj", "3 1 obj"),
        ("Kids[3 0 R]", "Kids[3 1 R]"),
        (&*format!("{third} 00000 n"), &*format!("{third} 00001 n")),
    ];
    let generation =
        generation.iter().fold(plain.clone(), |document, (from, to)| replaced(&document, from, to));
    let tagged = archival(Claim::A2, Structure::Indirect);
    let field = "<</FT/Sig/T(Sig)/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/F 132/P 3 0 R>>";
    let with_form = object(&tagged, 1).replacen("<<", "<</AcroForm<</Fields[14 0 R]>>", 1);
    let with_field = object(&tagged, 3).replacen("<<", "<</Annots[14 0 R]", 1);
    let mut kinds = all_versions.to_vec();
    kinds.extend([
        kind("updated", updated(&plain, &[(3, PAGE), (5, "(new)")])),
        kind("updated-stream", updated(&object_streams(&plain), &[(5, "(new)")])),
        kind("generation-1", generation),
        kind("names-with-codes", page("<</Type/Catalog/P#61ges 2 0 R/A#20b/c#23d>>", PAGE, &[])),
        kind(
            "extensions-direct",
            page(
                "<</Type/Catalog/Pages 2 0 R/Extensions<</ADBE<</BaseVersion/1.7/ExtensionLevel 8>>\
                 /OURS<</BaseVersion/1.7/ExtensionLevel 1>>>>>>",
                PAGE,
                &[],
            ),
        ),
        kind(
            "extensions-indirect",
            page(
                "<</Type/Catalog/Pages 2 0 R/Extensions 5 0 R>>",
                PAGE,
                &["<</Type/Extensions/ADBE 6 0 R>>", "<</BaseVersion/1.7/ExtensionLevel 3>>"],
            ),
        ),
        kind("tagged", archival(Claim::Ua1, Structure::Direct)),
        kind("tagged-levels", tagged.clone()),
        kind("tagged-streams", object_streams(&tagged)),
        kind("tagged-form", updated(&tagged, &[(1, &*with_form), (3, &*with_field), (14, field)])),
        kind(
            "structure-circle",
            page(
                "<</Type/Catalog/Pages 2 0 R/MarkInfo<</Marked true>>/StructTreeRoot 5 0 R>>",
                PAGE,
                &[
                    "<</Type/StructTreeRoot/K 6 0 R/ParentTree<</Nums[]>>>>",
                    "<</Type/StructElem/S/Document/P 5 0 R/K[7 0 R]>>",
                    "<</Type/StructElem/S/Sect/P 6 0 R/K[6 0 R]>>",
                ],
            ),
        ),
        kind(
            "linearized-and-updated",
            updated(&linearized(&Document::default().write()), &[(99, "(new)")]),
        ),
        // What is drawn is nothing to us.
        kind(
            "content-that-is-none",
            of_objects(&[CATALOG, ONE_PAGE, PAGE, &stream("", "BT (no end")], ""),
        ),
        kind("content-missing", of_objects(&[CATALOG, ONE_PAGE, PAGE], "")),
        kind(
            "text-in-utf-16",
            of_objects(
                &[CATALOG, ONE_PAGE, "<</Type/Page/Parent 2 0 R>>", "<</Title<FEFF017D>>>"],
                "/Info 4 0 R",
            ),
        ),
        kind("pages-direct", page("<</Type/Catalog/Pages<</Kids[3 0 R]/Count 1>>>>", PAGE, &[])),
        kind("page-tree-of-100-levels", levels(100)),
        kind("nothing-after-eof", plain.strip_suffix(b"\n").unwrap().to_vec()),
        kind("junk-around", nuls_after(&junk_before(&plain))),
    ]);
    kinds
}

/// A document whose page is this many levels below the root of the page tree, which has
/// its media box.
fn levels(levels: usize) -> Vec<u8> {
    let node = |at: usize| {
        let (parent, kid) = (at + 3, if at + 1 < levels { at + 5 } else { 3 });
        let parent = if at == 0 { 2 } else { parent };
        format!("<</Type/Pages/Parent {parent} 0 R/Kids[{kid} 0 R]/Count 1>>")
    };
    let nodes: Vec<String> = (0..levels).map(node).collect();
    let page = format!("<</Type/Page/Parent {} 0 R>>", levels + 3);
    let root = "<</Type/Pages/Kids[4 0 R]/Count 1/MediaBox[0 0 300 200]>>";
    let mut objects = vec![CATALOG, root, &page];
    objects.extend(nodes.iter().map(String::as_str));
    of_objects(&objects, "")
}

fn by_form() -> Vec<Kind> {
    let form =
        |fields: &str| format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{fields}]>>>>");
    let with = |entry: &str| {
        format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R{entry}>>")
    };
    let widget = "/Type/Annot/Subtype/Widget/Rect[10 10 90 50]";
    let one = with("/Annots[5 0 R]");
    vec![
        kind(
            "field-and-widget-apart",
            page(
                &form("5 0 R"),
                &with("/Annots[6 0 R]"),
                &["<</FT/Sig/T(S)/Kids[6 0 R]>>", &format!("<<{widget}/Parent 5 0 R/P 3 0 R>>")],
            ),
        ),
        kind(
            "type-of-field-in-the-group",
            page(
                &form("5 0 R"),
                &with("/Annots[6 0 R]"),
                &["<</FT/Sig/T(G)/Kids[6 0 R]>>", &format!("<<{widget}/T(S)/Parent 5 0 R>>")],
            ),
        ),
        // The value is a signature that does not read.
        Kind {
            signatures: 1,
            ..kind(
                "empty-value",
                page(&form("5 0 R"), &one, &[&format!("<<{widget}/FT/Sig/T(S)/V<<>>>>")]),
            )
        },
        kind("lone-annotation-direct", page(CATALOG, &with(&format!("/Annots<<{NOTE}>>")), &[])),
        kind(
            "lone-annotation-indirect",
            page(CATALOG, &with("/Annots 5 0 R"), &[&format!("<<{NOTE}>>")]),
        ),
        kind("null-annotation", page(CATALOG, &with("/Annots 5 0 R"), &["[null]"])),
        refused(
            "key-twice",
            page(
                "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[]>>/AcroForm<</Fields[]>>>>",
                PAGE,
                &[],
            ),
            "a key twice",
        ),
        kind("form-missing", page("<</Type/Catalog/Pages 2 0 R/AcroForm 9 0 R>>", PAGE, &[])),
        kind(
            "one-array-for-fields-and-annotations",
            page(
                "<</Type/Catalog/Pages 2 0 R/AcroForm 7 0 R>>",
                &with("/Annots 5 0 R"),
                &["[6 0 R]", &format!("<<{widget}/FT/Tx/T(x)>>"), "<</Fields 5 0 R>>"],
            ),
        ),
        kind(
            "fields-as-objects",
            page(
                "<</Type/Catalog/Pages 2 0 R/AcroForm 5 0 R>>",
                PAGE,
                &["<</Fields 6 0 R/DR 7 0 R/DA(/F 1 Tf)>>", "[]", "<<>>"],
            ),
        ),
        kind(
            "usage-rights",
            page(
                "<</Type/Catalog/Pages 2 0 R/Perms<</UR3 5 0 R>>/AcroForm<</Fields[]>>>>",
                PAGE,
                &["<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached\
               /ByteRange[0 10 20 10]/Contents<00>/Reference[<</Type/SigRef\
               /TransformMethod/UR3/TransformParams<</Type/TransformParams/V/2.2>>>>]>>"],
            ),
        ),
        kind(
            "xfa-static",
            page(
                "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[]/XFA 5 0 R>>>>",
                PAGE,
                &[&stream("", "<xdp:xdp xmlns:xdp=\"http://ns.adobe.com/xdp/\"/>")],
            ),
        ),
        kind(
            "fields-of-every-type",
            Document {
                form: Form::Indirect,
                annots: Annots::Shared,
                signature_fields: &["Signature1", "group.Signature2"],
                xref: Xref::Hybrid,
                rotate: 90,
                ..Document::default()
            }
            .write(),
        ),
    ]
}

fn signed(document: &[u8], options: &SignatureOptions) -> Vec<u8> {
    sign_pades(document, Pki::shared().signer(Key::P256), &parameters(), options).unwrap()
}

fn by_signature() -> Vec<Kind> {
    let plain = page(CATALOG, PAGE, &[]);
    let once = signed(&plain, &SignatureOptions::new());
    let certified = |level| signed(&plain, &SignatureOptions::new().certify(level));
    let signer = Pki::shared().signer(Key::P256);
    let with = |signatures, kind: Kind| Kind { signatures, ..kind };
    // The signature's entry /Type may be absent.
    let untyped = replaced(&once, "/Type/Sig/", "/Tipe/Sig/");
    let range = number_of(&once, "<</Type/Sig");
    let filled = updated(&once, &[(99, &*format!("[{range} 0 R]"))]);
    vec![
        with(1, kind("signed", once.clone())),
        with(2, kind("signed-twice", signed(&once, &SignatureOptions::new()))),
        with(
            1,
            kind("signed-in-streams", signed(&object_streams(&plain), &SignatureOptions::new())),
        ),
        with(1, kind("signed-with-pkcs7", sign_pkcs7(&plain, signer).unwrap())),
        with(1, kind("signed-with-nothing", sign_pades_by_stub(&plain))),
        with(1, kind("signed-without-type", untyped)),
        with(1, kind("signed-and-updated", filled)),
        with(1, kind("certified-2", certified(Certification::FormFilling))),
        with(1, kind("certified-3", certified(Certification::Annotations))),
        with(1, refused("certified-1", certified(Certification::NoChanges), "DocMDP 1")),
    ]
}

fn damaged() -> Vec<Kind> {
    let plain = page(CATALOG, PAGE, &[]);
    let end = plain.windows(9).rposition(|window| window == b"startxref").unwrap();
    let table = plain.windows(6).position(|window| window == b"\nxref\n").unwrap();
    let mut shifted = plain.clone();
    shifted.splice(9..9, *b"% eleven more octets\n");
    let circle = of_objects(&[CATALOG, "<</Type/Pages/Kids[2 0 R]/Count 1>>", "null"], "");
    let nested =
        format!("<</Type/Catalog/Pages 2 0 R/Deep{}{}>>", "[".repeat(200), "]".repeat(200));
    vec![
        repaired("no-startxref", replaced(&plain, "startxref", "nothing  ")),
        repaired("cut-before-startxref", plain[..end].to_vec()),
        repaired("cut-before-xref", plain[..table].to_vec()),
        repaired("offsets-shifted", shifted),
        repaired("table-without-keyword", replaced(&plain, "\nxref\n", "\nyref\n")),
        repaired("stream-wrong-startxref", wrong_startxref(&object_streams(&plain))),
        refused("no-header", plain[9..].to_vec(), "header"),
        refused("other-file", b"PK\x03\x04 not a PDF".to_vec(), "header"),
        refused("no-objects", b"%PDF-1.4\n%%EOF\n".to_vec(), "catalog"),
        refused("no-catalog", replaced(&plain, "/Root 1 0 R", "/Root 9 0 R"), "catalog"),
        repaired("direct-catalog", replaced(&plain, "/Root 1 0 R", "/Root<<>>  ")),
        refused("no-pages", of_objects(&["<</Type/Catalog>>"], ""), "/Pages"),
        refused("page-tree-circle", circle, "one of its nodes twice"),
        refused("nested-too-deep", page(&nested, PAGE, &[]), "nesting"),
    ]
}

/// Cross-references and page trees with one fault each.
fn by_fault() -> Vec<Kind> {
    let plain = page(CATALOG, PAGE, &[]);
    let place = |number: usize| format!("{:010} 00000 n", place_of(&plain, number));
    let moved = |number: usize, by: usize| {
        let entry = format!("{:010} 00000 n", place_of(&plain, number) + by);
        replaced(&plain, &place(number), &entry)
    };
    let tree =
        |node: &str| of_objects(&[CATALOG, node, PAGE, &stream("", "1 0 0 rg 9 9 9 9 re f")], "");
    let entry = format!("\nxref\n2147483646 1\n{:010} 00000 n \n", plain.len() + 33);
    let mut high = replaced(&plain, "\nxref\n", &entry);
    high.extend_from_slice(b"2147483646 0 obj\nnull\nendobj\n");
    vec![
        repaired("entry-of-a-page-freed", replaced(&plain, &place(3), "0000000000 00001 f")),
        repaired("entry-after-the-number", moved(3, 1)),
        repaired("entry-of-another-object", moved(2, place_of(&plain, 3) - place_of(&plain, 2))),
        repaired("entry-after-the-end", moved(1, 100_000)),
        repaired("no-root", replaced(&plain, "/Root 1 0 R", "/Toor 1 0 R")),
        repaired("prev-elsewhere", replaced(&plain, "/Root 1 0 R", "/Root 1 0 R/Prev 20")),
        repaired("size-too-high", replaced(&plain, "/Size 5", "/Size 2147483647")),
        refused("number-too-high", high, "number 2147483646"),
        refused("root-is-a-page", replaced(&plain, "/Root 1 0 R", "/Root 3 0 R"), "catalog"),
        refused(
            "encryption-missing",
            replaced(&plain, "/Root 1 0 R", "/Root 1 0 R/Encrypt 9 0 R"),
            "/Encrypt",
        ),
        refused("page-missing", tree("<</Kids[9 0 R]/Count 1>>"), "object 9"),
        refused("page-direct", tree(&format!("<</Kids[{PAGE}]/Count 1>>")), "direct object"),
        refused("page-null", tree("<</Kids[null]/Count 1>>"), "not a page"),
        refused("kids-not-an-array", tree("<</Kids 3 0 R/Count 1>>"), "/Kids"),
        refused("kids-missing", tree("<</Type/Pages/Count 1>>"), "/Kids"),
        refused("no-page", tree("<</Kids[]/Count 0>>"), "no pages"),
        kind("count-too-low", tree("<</Kids[3 0 R]/Count 0>>")),
        kind("count-too-high", tree("<</Kids[3 0 R]/Count 9>>")),
    ]
}

/// Files that end early, before their cross-reference. What is left is not signed,
/// unless nothing that a page needs is missing.
fn cut_off() -> Vec<Kind> {
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R\
        /Resources<</Font<</F 5 0 R>>>>>>";
    let font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>";
    let content = stream("", "BT/F 9 Tf(Text)Tj ET");
    let text = of_objects(&[CATALOG, ONE_PAGE, page, &content, font], "");
    let swapped = of_objects(
        &[CATALOG, ONE_PAGE, &page.replace("4 0 R", "6 0 R"), "null", font, &stream("", "BT ET")],
        "",
    );
    let before = |document: &[u8], what: &str| {
        let at = document.windows(what.len()).rposition(|w| w == what.as_bytes()).unwrap();
        document[..at].to_vec()
    };
    let with_length = |length: &str| {
        let octets = replaced(&swapped, "/Length 5", length);
        [before(&octets, "\nendstream"), b"\nendobj\n".to_vec()].concat()
    };
    vec![
        repaired("cut-after-the-last-object", before(&text, "endobj")),
        repaired("no-endstream", with_length("/Length 5")),
        refused("cut-in-an-object", before(&text, "/BaseFont"), "within object 5"),
        refused("cut-after-a-header", before(&text, "<</Type/Font"), "within object 5"),
        refused("cut-before-the-font", before(&text, "5 0 obj"), "page 1 needs"),
        refused("cut-before-the-content", before(&swapped, "6 0 obj"), "page 1 needs"),
        refused("cut-at-the-stream", before(&swapped, "\nBT ET"), "within object 6"),
        refused("cut-in-the-stream", before(&swapped, " ET"), "stream of object 6"),
    ]
}

/// The offset of an object, counted from the file's first octet.
fn place_of(document: &[u8], number: usize) -> usize {
    let header = format!("\n{number} 0 obj\n");
    document.windows(header.len()).position(|window| window == header.as_bytes()).unwrap() + 1
}

fn by_encryption() -> Vec<Kind> {
    let form =
        Document { form: Form::Inline, signature_fields: &["Signature1"], ..Document::default() }
            .write();
    let mut kinds: Vec<Kind> = [
        ("rc4-40", Encryption::Rc4Short),
        ("rc4-crypt-filter", Encryption::Rc4CryptFilter),
        ("aes-256-revision-5", Encryption::Aes256Revision5),
        ("aes-128-clear-metadata", Encryption::Aes128ClearMetadata),
    ]
    .into_iter()
    .map(|(name, encryption)| Kind {
        password: Some("user"),
        ..kind(name, encrypted(&form, encryption, "user"))
    })
    .collect();
    let recipients = "<</Filter/Adobe.PubSec/SubFilter/adbe.pkcs7.s5/V 4/Length 128\
        /CF<</DefaultCryptFilter<</CFM/AESV2/Recipients[<00>]>>>>\
        /StmF/DefaultCryptFilter/StrF/DefaultCryptFilter>>";
    let id = "/ID[<00112233445566778899AABBCCDDEEFF><00112233445566778899AABBCCDDEEFF>]";
    kinds.push(refused(
        "encrypted-for-recipients",
        of_objects(
            &[CATALOG, ONE_PAGE, "<</Type/Page/Parent 2 0 R>>"],
            &format!("/Encrypt{recipients}{id}"),
        ),
        "holders of certificates",
    ));
    kinds
}
