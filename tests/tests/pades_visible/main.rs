//! Visible signatures: their position and appearance, and that the document keeps its
//! contents and its PDF/A and PDF/UA claims.

mod need_appearances;
mod style;

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;

use ades_core::Document;
use ades_tests::fonts;
use ades_tests::oracle::pades::all_accept;
use ades_tests::oracle::pdf::{Picture, compare, pdfsig, qpdf_check};
use ades_tests::oracle::verapdf;
use ades_tests::pdf::archival::{Claim, Structure, archival};
use ades_tests::pdf::by_hand::{object, updated};
use ades_tests::pdf::{self, Encryption, encrypted};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign_pades};
use pades::{Appearance, Error, Rectangle, SignatureField, SignatureOptions, StampValues};
use proptest::prelude::*;
use tempfile::TempDir;

const NAMES: &str = "Signed by Jiří Dvořák\nŁukasz Żółć, Ελένη, Юлия\n2026-09-21 14:13 UTC";

/// Joined letters, marks and digits, with Latin letters between them.
const RIGHT_TO_LEFT: &str = "وقّعته سلمى (Salma) في 21\nנחתם על ידי דוד כהן\nSigned by سلام عليكم";
const BOXES: &[u8] = include_bytes!("../../fixtures/stamps/boxes.ttf");
/// The same with CFF outlines.
const BOXES_CFF: &[u8] = include_bytes!("../../fixtures/stamps/boxes.otf");
const JAPANESE: &str = "署名者 山田太郎\nSigned 2026年9月21日";
const JPEG: &[u8] = include_bytes!("../../fixtures/stamps/gradient.jpg");
/// Left, bottom, width, height.
const STAMP: [f64; 4] = [72.0, 72.0, 200.0, 60.0];

fn sign(document: &[u8], options: &SignatureOptions) -> Result<Vec<u8>, Error> {
    sign_pades(document, Pki::shared().signer(Key::P256), &parameters(), options)
}

fn at(page: usize, [left, bottom, width, height]: [f64; 4]) -> Appearance {
    Appearance::at(page, Rectangle::new(left, bottom, width, height))
}

fn visible(appearance: Appearance) -> SignatureOptions {
    SignatureOptions::new().visible(appearance)
}

fn write(dir: &TempDir, name: &str, octets: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, octets).unwrap();
    path
}

/// An orange disc on a transparent ground.
fn disc() -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..64_i32 {
        for x in 0..64_i32 {
            let inside = (x - 32).pow(2) + (y - 32).pow(2) < 30 * 30;
            pixels.extend([255, 120, 0, if inside { 255 } else { 0 }]);
        }
    }
    png_of(png::ColorType::Rgba, 64, &pixels)
}

/// A PNG of this colour type with these octets as pixels.
fn png_of(color: png::ColorType, size: u32, pixels: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, size, size);
    encoder.set_color(color);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    out
}

/// Demands 26 and 28.
#[test]
fn documents_keep_their_pdf_a_and_pdf_ua_claims() {
    let (dir, cjk) = (TempDir::new().unwrap(), fonts::cjk());
    for claim in Claim::ALL {
        for structure in [Structure::Direct, Structure::Indirect] {
            let document = archival(claim, structure);
            let before = verapdf::validate(&write(&dir, "before.pdf", &document)).unwrap();
            assert!(before.keeps_its_claims(), "{claim:?} {structure:?}: {before:?}");
            let signed = sign(&document, &SignatureOptions::new()).unwrap();
            let after = verapdf::validate(&write(&dir, "invisible.pdf", &signed)).unwrap();
            assert!(after.keeps_its_claims(), "{claim:?} {structure:?}: {after:?}");
            let japanese = cjk.clone().map(|font| at(1, STAMP).text(JAPANESE, font));
            let all = [
                at(1, STAMP).text(NAMES, fonts::sans()).image(disc()),
                at(1, STAMP).text(RIGHT_TO_LEFT, fonts::sans()),
                at(1, STAMP).text("日本 日日", BOXES),
                at(1, STAMP).text("日本 日日", BOXES_CFF),
                at(1, STAMP).image(JPEG),
                at(1, STAMP).image(png_of(png::ColorType::Grayscale, 2, &[0, 90, 180, 255])),
                style::with_all(),
            ];
            for looks in all.into_iter().chain(japanese) {
                let signed = sign(&document, &visible(looks)).unwrap();
                let path = write(&dir, "after.pdf", &signed);
                let after = verapdf::validate(&path).unwrap();
                assert_eq!(after.claims, before.claims);
                assert!(after.keeps_its_claims(), "{claim:?} {structure:?}: {after:?}");
                assert_eq!(qpdf_check(&path, None).messages, Vec::<String>::new());
            }
        }
    }
}

/// The label of an existing field becomes that of its widget, which PDF/UA-2 requires.
/// A label of the widget itself stays, and in a signed document the widget stays.
#[test]
fn the_label_of_an_existing_field_becomes_that_of_its_widget() {
    let dir = TempDir::new().unwrap();
    let document = archival(Claim::Ua2, Structure::Direct);
    let with = |entries: &str| {
        let widget = "/FT/Sig/T(s)/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/F 132/P 3 0 R";
        let field = format!("<<{widget}{entries}>>");
        let catalog = object(&document, 1).replacen("<<", "<</AcroForm<</Fields[20 0 R]>>", 1);
        let page = object(&document, 3).replacen("<<", "<</Annots[20 0 R]/Tabs/S", 1);
        updated(&document, &[(1, &*catalog), (3, &*page), (20, &*field)])
    };
    let into = SignatureOptions::new().field(SignatureField::Existing("s".into()));
    let labelled = sign(&with("/TU(Buyer)"), &into).unwrap();
    assert!(object(&labelled, 20).contains("/Contents (Buyer)"), "{}", object(&labelled, 20));
    let claims = verapdf::validate(&write(&dir, "labelled.pdf", &labelled)).unwrap();
    assert!(claims.keeps_its_claims(), "{claims:?}");
    let own = sign(&with("/TU(Buyer)/Contents(Own)"), &into).unwrap();
    assert!(!object(&own, 20).contains("/Contents (Buyer)"));
    let before = sign(&with("/TU(Buyer)"), &SignatureOptions::new()).unwrap();
    let after = sign(&before, &into).unwrap();
    assert!(!object(&after, 20).contains("/Contents"));
    all_accept(&write(&dir, "after.pdf", &after), 2);
}

/// The structure of a signed document must not change, or its signature would be
/// reported: with a second widget, the document is PDF/A, but not PDF/UA.
#[test]
fn a_second_signature_keeps_pdf_a_and_the_first_signature() {
    let dir = TempDir::new().unwrap();
    for claim in Claim::ALL {
        let document = archival(claim, Structure::Direct);
        let once = sign(&document, &visible(at(1, STAMP).text(NAMES, fonts::sans()))).unwrap();
        let second = at(1, [300.0, 72.0, 200.0, 60.0]).text(NAMES, fonts::sans()).image(disc());
        let twice = sign(&once, &visible(second)).unwrap();
        let path = write(&dir, "twice.pdf", &twice);
        let claims = verapdf::validate(&path).unwrap();
        assert_eq!(claims.keeps_its_claims(), claim != Claim::Ua1, "{claim:?}: {claims:?}");
        all_accept(&path, 2);
    }
}

/// The rotation of a page, and its visible part.
const PAGES: [(u32, Option<[u32; 4]>); 6] = [
    (0, None),
    (90, None),
    (180, None),
    (270, None),
    (0, Some([50, 60, 500, 700])),
    (270, Some([50, 60, 500, 700])),
];
/// Dots per inch: two pixels are a point.
const DPI: u32 = 144;

/// The pixels of a rectangle on a page.
fn pixels([left, bottom, width, height]: [f64; 4], page: &Picture) -> [usize; 4] {
    let top = page.height as f64 - 2.0 * (bottom + height);
    [2.0 * left, top, 2.0 * width, 2.0 * height].map(|pixels| pixels as usize)
}

/// Demand 29: only the rectangle changes, and it looks the same for every rotation of
/// the page.
#[test]
fn a_stamp_is_upright_and_only_in_its_rectangle() {
    /// A rectangle that is empty on each of the pages.
    const PLACE: [f64; 4] = [290.0, 300.0, 150.0, 60.0];

    let dir = TempDir::new().unwrap();
    let mut first = None;
    for (rotate, crop_box) in PAGES {
        let document = pdf::Document { rotate, crop_box, ..Default::default() }.write();
        let before = Picture::of(&write(&dir, "before.pdf", &document), 2, DPI, None);
        let looks = at(2, PLACE).text(NAMES, fonts::sans()).image(disc());
        let signed = write(&dir, "after.pdf", &sign(&document, &visible(looks)).unwrap());
        let after = Picture::of(&signed, 2, DPI, None);
        let [left, top, width, height] = pixels(PLACE, &after);
        let [x0, y0, x1, y1] = before.changed(&after).unwrap();
        assert!(left <= x0 && top <= y0 && x1 < left + width && y1 < top + height, "{rotate}");
        let stamp = after.part([left, top], [width, height]);
        let first = first.get_or_insert_with(|| stamp.clone());
        // Rotated letters have other edges: a blank stamp differs by 28, a stamp in the
        // wrong rotation by more.
        assert!(stamp.difference(first) < 4.0, "{rotate}: {}", stamp.difference(first));
        let unseen = Picture::of(&signed, 1, DPI, None);
        let page = Picture::of(&write(&dir, "before.pdf", &document), 1, DPI, None);
        assert_eq!(unseen.changed(&page), None);
    }
}

/// Compares with pictures that somebody has looked at. With `UPDATE_EXPECTED` set, the
/// test rewrites them. Versions of renderers draw edges differently.
#[test]
fn stamps_look_like_the_approved_pictures() {
    let dir = TempDir::new().unwrap();
    let document = archival(Claim::A2, Structure::Direct);
    let japanese = fonts::cjk().map(|font| ("japanese", at(1, STAMP).text(JAPANESE, font)));
    let all = [
        ("text", at(1, STAMP).text(NAMES, fonts::sans())),
        ("text-and-image", at(1, STAMP).text(NAMES, fonts::sans()).image(disc())),
        ("image", at(1, STAMP).image(JPEG)),
        ("right-to-left", at(1, STAMP).text(RIGHT_TO_LEFT, fonts::sans())),
        ("boxes", at(1, STAMP).text("日本 日日", BOXES)),
        ("boxes", at(1, STAMP).text("日本 日日", BOXES_CFF)),
        ("all", style::with_all()),
        ("small", at(1, [72.0, 72.0, 60.0, 20.0]).text(NAMES, fonts::sans())),
    ];
    for (name, looks) in all.into_iter().chain(japanese) {
        let signed = write(&dir, "after.pdf", &sign(&document, &visible(looks)).unwrap());
        let page = Picture::of(&signed, 1, DPI, None);
        let [left, top, width, height] = pixels(STAMP, &page);
        let stamp = page.part([left, top], [width, height]);
        let expected = Path::new(env!("CARGO_MANIFEST_DIR"));
        let expected = expected.join(format!("fixtures/stamps/{name}.png"));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            write_png(&expected, &stamp);
        }
        let difference = stamp.difference(&read_png(&expected));
        assert!(difference < 5.0, "{name}: {difference}");
    }
}

fn write_png(path: &Path, picture: &Picture) {
    let out = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(out, picture.width as u32, picture.height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(picture.pixels.as_flattened()).unwrap();
}

fn read_png(path: &Path) -> Picture {
    let file = BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let (width, height) = (info.width as usize, info.height as usize);
    Picture { width, height, pixels: pixels.as_chunks().0.to_vec() }
}

/// Demand 27: names in other scripts can be read, searched and copied.
#[test]
fn extracted_text_is_the_given_text() {
    let dir = TempDir::new().unwrap();
    for document in [
        pdf::Document::default().write(),
        encrypted(&pdf::Document::default().write(), Encryption::Aes256, ""),
        encrypted(&pdf::Document::default().write(), Encryption::Rc4, ""),
    ] {
        let decomposed = "Jir\u{30C}i\u{301}";
        let looks = at(1, STAMP)
            .text(format!("{NAMES}\n{decomposed} سلمى דוד"), fonts::sans())
            .image(disc());
        let path = write(&dir, "signed.pdf", &sign(&document, &visible(looks)).unwrap());
        let mut text = Command::new("pdftotext");
        let text = text.args(["-enc", "UTF-8", "-layout"]).arg(&path).arg("-").output().unwrap();
        let text = String::from_utf8(text.stdout).unwrap();
        for line in NAMES.lines().chain(["Jiří سلمى דוד"]) {
            assert!(line.split(' ').all(|word| text.contains(word)), "{line} in {text}");
        }
        let fonts = Command::new("pdffonts").arg(&path).output().unwrap();
        let fonts = String::from_utf8(fonts.stdout).unwrap();
        let font = fonts.lines().find(|line| line.contains("+DejaVuSans")).unwrap();
        let marks: Vec<&str> = font.split_whitespace().rev().take(5).collect();
        assert_eq!(
            marks[2..],
            ["yes", "yes", "yes"],
            "embedded, a subset, with characters: {font}"
        );
    }
}

/// CFF outlines are embedded as CFF, also those of a font collection.
#[test]
fn extracted_text_in_cff_fonts_is_the_given_text() {
    let dir = TempDir::new().unwrap();
    let japanese = fonts::cjk().map(|font| (JAPANESE, font, "+NotoSansCJKjp"));
    let boxes = ("日本 日日", BOXES_CFF.to_vec(), "+BoxesCFF");
    for (text, font, name) in [boxes].into_iter().chain(japanese) {
        let document = pdf::Document::default().write();
        let signed = sign(&document, &visible(at(1, STAMP).text(text, font))).unwrap();
        let path = write(&dir, "signed.pdf", &signed);
        let read = Command::new("pdftotext").args(["-enc", "UTF-8"]).arg(&path).arg("-").output();
        let read = String::from_utf8(read.unwrap().stdout).unwrap();
        let words = text.split_whitespace();
        assert!(words.into_iter().all(|word| read.contains(word)), "{text} in {read}");
        let fonts = Command::new("pdffonts").arg(&path).output().unwrap();
        let fonts = String::from_utf8(fonts.stdout).unwrap();
        let font = fonts.lines().find(|line| line.contains(name)).unwrap();
        assert!(font.contains("CID Type 0C"), "{font}");
    }
}

/// Viewers tint calibrated grey, so grey needs an ICC profile.
#[test]
fn grey_stays_grey() {
    let dir = TempDir::new().unwrap();
    let grey = png_of(png::ColorType::Grayscale, 1, &[117]);
    for document in [pdf::Document::default().write(), archival(Claim::A2, Structure::Direct)] {
        let looks = at(1, [72.0, 72.0, 60.0, 60.0]).image(grey.clone());
        let signed = write(&dir, "after.pdf", &sign(&document, &visible(looks)).unwrap());
        let page = Picture::of(&signed, 1, DPI, None);
        let [left, top, ..] = pixels([72.0, 72.0, 60.0, 60.0], &page);
        let middle = page.part([left + 60, top + 60], [1, 1]).pixels[0].map(i32::from);
        assert!(middle.iter().all(|value| (value - 117).abs() <= 6), "{middle:?}");
        assert!(middle.iter().all(|value| (value - middle[0]).abs() <= 1), "{middle:?}");
    }
}

/// Cameras store pixels unrotated, with the orientation in Exif data.
#[test]
fn photographs_are_rotated_by_their_exif_orientation() {
    /// The visible corners of the stored pixels: top left, top right, bottom left,
    /// bottom right.
    const SEEN: [[usize; 4]; 8] = [
        [0, 1, 2, 3],
        [1, 0, 3, 2],
        [3, 2, 1, 0],
        [2, 3, 0, 1],
        [0, 2, 1, 3],
        [2, 0, 3, 1],
        [3, 1, 2, 0],
        [1, 3, 0, 2],
    ];
    const PLACE: [f64; 4] = [300.0, 300.0, 100.0, 100.0];

    let dir = TempDir::new().unwrap();
    let document = pdf::Document::default().write();
    let corners = |orientation: u8| {
        let exif = [
            b"\xFF\xE1\x00\x22Exif\0\0MM\x00\x2A\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"
                .as_slice(),
            &[orientation],
            &[0; 6],
        ]
        .concat();
        let jpeg = [&JPEG[..2], &exif, &JPEG[2..]].concat();
        let signed = sign(&document, &visible(at(1, PLACE).image(jpeg))).unwrap();
        let page = Picture::of(&write(&dir, "after.pdf", &signed), 1, DPI, None);
        let [left, top, across, down] = pixels(PLACE, &page);
        let (x, y) = (left + across / 2, top + down / 2);
        let near = |middle: usize, far: bool| if far { middle + 47 } else { middle - 47 };
        let at = |right, low| page.part([near(x, right), near(y, low)], [1, 1]).pixels[0];
        [at(false, false), at(true, false), at(false, true), at(true, true)]
    };
    let stored = corners(1);
    for (orientation, seen) in (1..).zip(SEEN) {
        let found = corners(orientation);
        for (found, corner) in found.iter().zip(seen) {
            let nearest = stored.iter().map(|stored| {
                stored.iter().zip(found).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>()
            });
            let nearest = nearest.enumerate().min_by_key(|(_, distance)| *distance);
            assert_eq!(nearest.unwrap().0, corner, "{orientation}: {found:?} of {stored:?}");
        }
    }
}

/// A JPEG of 8 by 8 pixels of one colour, whose four components have these values.
fn inks(values: [u8; 4], is_adobe: bool) -> Vec<u8> {
    let segment = |marker: u8, content: &[u8]| {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, marker], &length[..], content].concat()
    };
    let components = (1..=4).flat_map(|component| [component, 0x11, 0]);
    let frame = [8, 0, 8, 0, 8, 4].into_iter().chain(components).collect::<Vec<u8>>();
    // DC: the categories 0 to 11 have codes of four bits. AC: only the end of the block, one bit.
    let dc = [&[0x00, 0, 0, 0, 12][..], &[0; 12], &(0..12).collect::<Vec<u8>>()].concat();
    let ac = [&[0x10, 1][..], &[0; 15], &[0]].concat();
    let components = (1..=4).flat_map(|component| [component, 0]);
    let scan = [4].into_iter().chain(components).chain([0, 63, 0]).collect::<Vec<u8>>();
    let mut bits = String::new();
    for value in values {
        let dc = 8 * (i32::from(value) - 128);
        let category = 32 - dc.unsigned_abs().leading_zeros();
        bits += &format!("{category:04b}");
        if category > 0 {
            let coded = if dc > 0 { dc } else { dc + (1 << category) - 1 };
            bits += &format!("{coded:0width$b}", width = category as usize);
        }
        bits += "0";
    }
    bits += &"1".repeat(bits.len().next_multiple_of(8) - bits.len());
    let data = bits.as_bytes().chunks(8).flat_map(|bits| {
        let octet = u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap();
        // The octet FF is followed by 00, so that it is not a marker.
        [octet].into_iter().chain((octet == 0xFF).then_some(0))
    });
    [
        vec![0xFF, 0xD8],
        if is_adobe { segment(0xEE, b"Adobe\0\x64\0\0\0\0\0") } else { Vec::new() },
        segment(0xDB, &[&[0][..], &[1; 64]].concat()),
        segment(0xC0, &frame),
        segment(0xC4, &dc),
        segment(0xC4, &ac),
        segment(0xDA, &scan),
        data.collect(),
        vec![0xFF, 0xD9],
    ]
    .concat()
}

/// Adobe's programs store inks inverted. Cyan stays cyan in both forms, for poppler and MuPDF.
#[test]
fn inks_of_cmyk_images_keep_their_colours() {
    const PLACE: [f64; 4] = [300.0, 300.0, 100.0, 100.0];

    let dir = TempDir::new().unwrap();
    let document = pdf::Document::default().write();
    for image in [inks([255, 0, 0, 0], false), inks([0, 255, 255, 255], true)] {
        let signed = sign(&document, &visible(at(1, PLACE).image(image))).unwrap();
        let path = write(&dir, "after.pdf", &signed);
        let png = dir.path().join("after.png");
        let mut mutool = Command::new("mutool");
        mutool.args(["draw", "-q", "-r", "144", "-o"]).arg(&png).arg(&path);
        assert!(mutool.status().unwrap().success());
        for page in [Picture::of(&path, 1, DPI, None), read_png(&png)] {
            let [left, top, across, down] = pixels(PLACE, &page);
            let [red, green, blue] =
                page.part([left + across / 2, top + down / 2], [1, 1]).pixels[0];
            assert!(red < 80 && green > 120 && blue > 180, "{red} {green} {blue}");
        }
    }
    let archival = archival(Claim::A2, Structure::Direct);
    let refused = sign(&archival, &visible(at(1, STAMP).image(inks([255, 0, 0, 0], false))));
    let Err(Error::Appearance { problem }) = refused else { panic!("{refused:?}") };
    assert_eq!(problem, pades::error::AppearanceFault::CmykInPdfA);
}

#[test]
fn an_existing_field_keeps_its_rectangle() {
    let dir = TempDir::new().unwrap();
    for (rotate, crop_box) in [(0, None), (90, Some([50, 60, 500, 700]))] {
        let signature_fields = &["Here", "groups.There"];
        let document =
            pdf::Document { rotate, crop_box, signature_fields, ..Default::default() }.write();
        let before = Picture::of(&write(&dir, "before.pdf", &document), 1, DPI, None);
        for field in ["Here", "groups.There"] {
            let options = visible(Appearance::in_field().text("Agreed", fonts::sans()));
            let options = options.field(SignatureField::Existing(field.to_owned()));
            let path = write(&dir, "after.pdf", &sign(&document, &options).unwrap());
            let after = Picture::of(&path, 1, DPI, None);
            let [x0, y0, x1, y1] = before.changed(&after).unwrap();
            let (long, short) = (x1 - x0, y1 - y0);
            assert!(long < 300 && short < 80, "{field}: {long} × {short}");
            assert!(long > short, "{field} is upright: {long} × {short}");
            all_accept(&path, 1);
        }
    }
}

#[test]
fn the_preview_looks_like_the_signed_document() {
    let dir = TempDir::new().unwrap();
    let document = pdf::Document::default().write();
    let options = visible(at(1, STAMP).text(NAMES, fonts::sans()).image(disc()));
    let signer = Pki::shared().signer(Key::P256);
    let mut source = Document::from_bytes(&document);
    let pending = pades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
    let mut preview = Vec::new();
    pending.preview(&mut source, &mut preview).unwrap();
    assert!(preview.starts_with(&document));
    let preview = write(&dir, "preview.pdf", &preview);
    let signed = write(&dir, "signed.pdf", &sign(&document, &options).unwrap());
    assert_eq!(compare(&preview, &signed, None).first_difference, None);
    assert!(pdfsig(&preview, None).unwrap().iter().all(|signature| !signature.valid));
    let mut other = document.clone();
    other[20] ^= 1;
    let mut other = Document::from_bytes(&other);
    let changed = pending.preview(&mut other, &mut Vec::new());
    assert!(matches!(changed, Err(Error::DocumentChanged)), "{changed:?}");
}

#[test]
fn an_appearance_that_cannot_be_drawn_is_refused() {
    let document = pdf::Document { signature_fields: &["Here"], ..Default::default() }.write();
    let refuse = |looks: Appearance, why: &str| {
        let error = sign(&document, &visible(looks)).map(drop).unwrap_err().to_string();
        assert!(error.contains(why), "{error} does not contain {why}");
    };
    let text = |text: &str| at(1, STAMP).text(text, fonts::sans());
    refuse(text("a\u{202E}b"), "overrides of its direction");
    refuse(text("日本"), "no glyph for the character '日': choose a font");
    refuse(text("\u{7}"), "control characters");
    refuse(text(" "), "empty");
    refuse(text(&"long ".repeat(2000)), "4,096");
    refuse(at(1, [0.0, 0.0, 50.0, 20.0]).text("long ".repeat(100), fonts::sans()), "does not fit");
    refuse(text(&"x".repeat(2000)), "does not fit");
    refuse(at(1, STAMP), "neither text nor image nor QR code");
    refuse(at(1, STAMP).text("x", b"no font".as_slice()), "font cannot be read");
    refuse(at(1, STAMP).image(b"no image".as_slice()), "neither PNG nor JPEG");
    refuse(at(1, STAMP).image(&disc()[..100]), "PNG cannot be read");
    refuse(at(1, STAMP).image(&JPEG[..100]), "JPEG cannot be read");
    refuse(at(1, STAMP).image(&JPEG[..JPEG.len() - 30]), "ends within the image");
    let mut random = 1u32;
    let noise = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random.to_be_bytes()[0]
    });
    let noise: Vec<u8> = noise.take(3 * 900 * 900).collect();
    refuse(at(1, STAMP).image(png_of(png::ColorType::Rgb, 900, &noise)), "more than 2 MiB");
    refuse(at(1, STAMP).image(vec![0; 9 << 20]), "more than 8 MiB");
    refuse(at(0, STAMP).text("x", fonts::sans()), "counted from 1");
    refuse(at(3, STAMP).text("x", fonts::sans()), "no page number 3");
    refuse(Appearance::in_field().text("x", fonts::sans()), "needs a page");
    for outside in [
        [-1.0, 0.0, 20.0, 20.0],
        [0.0, 830.0, 20.0, 20.0],
        [590.0, 0.0, 20.0, 20.0],
        [0.0, 0.0, 0.0, 20.0],
        [f64::NAN, 0.0, f64::INFINITY, 20.0],
    ] {
        refuse(at(1, outside).text("x", fonts::sans()), "not within page number 1");
    }
    let field = SignatureField::Existing("Here".to_owned());
    let options = visible(at(1, STAMP).text("x", fonts::sans())).field(field);
    let error = sign(&document, &options).map(drop).unwrap_err();
    assert!(error.to_string().contains("its own rectangle"), "{error}");
}

proptest! {
    /// Damaged images and fonts are refused or drawn.
    #[test]
    fn damaged_images_and_fonts_cause_no_panic(
        which in 0..3_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut file = [disc(), JPEG.to_vec(), fonts::sans().to_vec()][which].clone();
        // Most of a font is never read.
        let reach = file.len().min(4096);
        for (at, octet) in damage {
            file[at.index(reach)] = octet;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        let looks = at(1, STAMP);
        let looks = if which == 2 { looks.text("Agreed", file) } else { looks.image(file) };
        let _ = sign(&pdf::Document::default().write(), &visible(looks));
    }
}

/// A template is filled with the known values.
#[test]
fn templates_are_filled() {
    let values = StampValues::new().name("Jiří").time("now");
    let text = values.fill("{name}, {time}\n{reason}\n{other}");
    assert_eq!(text, "Jiří, now\n{other}");
}
