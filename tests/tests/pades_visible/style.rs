//! Alignment, border, background and QR codes, in the pictures of poppler and MuPDF.

use std::process::Command;

use ades_tests::fonts;
use ades_tests::oracle::pdf::Picture;
use ades_tests::pdf::archival::{Claim, Structure, archival};
use ades_tests::pdf::by_hand::{ONE_PAGE, of_objects};
use pades::error::AppearanceFault;
use pades::{Alignment, Appearance, Border, Colour, Error, HorizontalAlignment, VerticalAlignment};
use tempfile::TempDir;

use super::{DPI, NAMES, STAMP, at, disc, pixels, png_of, read_png, sign, visible, write};

/// Large enough for any alignment to show.
const PLACE: [f64; 4] = [290.0, 300.0, 200.0, 120.0];
const BLUE: Colour = Colour::rgb(0x00, 0x33, 0x99);
const URL: &str = "https://example.org/verify?document=1234-5678&signer=Jiří";

/// An appearance with everything that one can have.
pub(super) fn with_all() -> Appearance {
    at(1, STAMP)
        .text(NAMES, fonts::sans())
        .image(disc())
        .qr_code(URL)
        .border(Border::new(1.5, Colour::rgb(0xFF, 0xCC, 0x00)))
        .background(BLUE)
}

/// A document of one empty page.
fn blank(rotate: u16) -> Vec<u8> {
    let page = format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Rotate {rotate}>>");
    of_objects(&["<</Type/Catalog/Pages 2 0 R>>", ONE_PAGE, &page], "")
}

/// The page with this appearance, as poppler and MuPDF draw it.
fn drawn(document: &[u8], looks: Appearance, dpi: u32) -> [Picture; 2] {
    let dir = TempDir::new().unwrap();
    let path = write(&dir, "signed.pdf", &sign(document, &visible(looks)).unwrap());
    let png = dir.path().join("signed.png");
    let mut mutool = Command::new("mutool");
    mutool.args(["draw", "-q", "-r", &dpi.to_string(), "-o"]).args([&png, &path]).arg("1");
    assert!(mutool.status().unwrap().success());
    [Picture::of(&path, 1, dpi, None), read_png(&png)]
}

/// The bounds of the ink in a part of a page, in hundredths of the part: left, top, right, bottom.
fn ink(page: &Picture, place: [f64; 4]) -> [usize; 4] {
    let [left, top, width, height] = pixels(place, page);
    let part = page.part([left, top], [width, height]);
    let white = vec![[0xFF; 3]; part.pixels.len()];
    let white = Picture { width, height, pixels: white };
    let [x0, y0, x1, y1] = part.changed(&white).unwrap();
    [100 * x0 / width, 100 * y0 / height, 100 * x1 / width, 100 * y1 / height]
}

#[test]
fn content_is_aligned() {
    use HorizontalAlignment::{Centre, Left, Right};
    use VerticalAlignment::{Bottom, Middle, Top};

    let document = blank(0);
    let horizontal = |alignment, [left, _, right, _]: [usize; 4]| match alignment {
        Left => left < 4 && right < 60,
        Centre => left.abs_diff(100 - right) < 4 && left > 10,
        Right => right > 95 && left > 40,
        other => panic!("{other:?}"),
    };
    let vertical = |alignment, [_, top, _, bottom]: [usize; 4]| match alignment {
        Top => top < 8 && bottom < 50,
        Middle => top.abs_diff(100 - bottom) < 8 && top > 20,
        Bottom => bottom > 90 && top > 50,
        other => panic!("{other:?}"),
    };
    let square = png_of(png::ColorType::Grayscale, 1, &[0]);
    let wide = [PLACE[0], PLACE[1], 280.0, 60.0];
    let high = [PLACE[0], PLACE[1], 60.0, 280.0];
    let singles: [fn(Appearance, Vec<u8>) -> Appearance; 2] =
        [|looks, image| looks.image(image), |looks, _| looks.qr_code(URL)];
    for (across, down) in [(Left, Top), (Centre, Middle), (Right, Bottom)] {
        let alignment = Alignment::new().horizontal(across).vertical(down);
        for text in ["Signed\nby me", "נחתם"] {
            let looks = at(1, PLACE).text(text, fonts::sans()).alignment(alignment);
            for page in drawn(&document, looks, DPI) {
                let found = ink(&page, PLACE);
                assert!(horizontal(across, found), "{across:?} {text}: {found:?}");
                assert!(vertical(down, found), "{down:?} {text}: {found:?}");
            }
        }
        for add in singles {
            let page = |place| {
                let looks = add(at(1, place), square.clone()).alignment(alignment);
                let [page, _] = drawn(&document, looks, DPI);
                ink(&page, place)
            };
            assert!(horizontal(across, page(wide)), "{across:?}: {:?}", page(wide));
            assert!(vertical(down, page(high)), "{down:?}: {:?}", page(high));
        }
    }
    // By default, a line begins where its script begins, in the middle of the rectangle.
    for (text, across) in [("Signed", Left), ("נחתם", Right)] {
        let [page, _] = drawn(&document, at(1, PLACE).text(text, fonts::sans()), DPI);
        let found = ink(&page, PLACE);
        assert!(horizontal(across, found) && vertical(Middle, found), "{text}: {found:?}");
    }
}

/// Also in PDF/A, where colours are calibrated.
#[test]
fn border_and_background_have_their_colours() {
    let is_near = |found: [u8; 3], expected: [u8; 3]| {
        found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) < 12)
    };
    let yellow = [0xFF, 0xCC, 0x00];
    for document in [blank(0), archival(Claim::A1, Structure::Direct)] {
        for (ground, letters) in [([0x00, 0x33, 0x99], 0xFF), ([0xFF, 0xEE, 0xCC], 0x00)] {
            let [red, green, blue] = ground;
            let looks = at(1, PLACE)
                .text("Signed", fonts::sans())
                .border(Border::new(4.0, Colour::rgb(0xFF, 0xCC, 0x00)))
                .background(Colour::rgb(red, green, blue));
            for page in drawn(&document, looks, DPI) {
                let [left, top, width, height] = pixels(PLACE, &page);
                let stamp = page.part([left, top], [width, height]);
                let at = |x: usize, y: usize| stamp.pixels[y * width + x];
                for [x, y] in [[4, 4], [width - 5, 4], [4, height - 5], [width / 2, height - 5]] {
                    assert!(is_near(at(x, y), yellow), "{x}, {y}: {:?}", at(x, y));
                }
                for [x, y] in [[12, 12], [width - 13, 12], [width / 2, height - 13]] {
                    assert!(is_near(at(x, y), ground), "{x}, {y}: {:?}", at(x, y));
                }
                let is_letter = |pixel: &&[u8; 3]| is_near(**pixel, [letters; 3]);
                assert!(stamp.pixels.iter().filter(is_letter).count() > 50, "{letters}");
                let outside = page.part([left - 4, top - 4], [width + 8, 3]);
                assert!(outside.pixels.iter().all(|pixel| *pixel == [0xFF; 3]));
            }
        }
    }
    let too_wide = at(1, STAMP).text("x", fonts::sans()).border(Border::new(30.0, BLUE));
    assert_fault(too_wide, AppearanceFault::BorderWidth);
}

/// A transparent image in PDF/A gets the colour of the background.
#[test]
fn transparent_images_are_put_on_the_background() {
    let document = archival(Claim::A1, Structure::Direct);
    for image in [disc(), png_of(png::ColorType::GrayscaleAlpha, 1, &[0x80, 0x00])] {
        let looks = at(1, PLACE).image(image).background(BLUE);
        for page in drawn(&document, looks, DPI) {
            let [left, top, width, height] = pixels(PLACE, &page);
            // Near the upper left corner of the square that the image takes.
            let corner = page.part([left + (width - height) / 2 + 14, top + 14], [1, 1]).pixels[0];
            let expected = [0x00, 0x33, 0x99];
            assert!(corner.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 12), "{corner:?}");
        }
    }
}

/// The texts of all QR codes in a picture, by rqrr.
fn qr_codes(page: &Picture) -> Vec<String> {
    let grey = |x: usize, y: usize| {
        let [red, green, blue] = page.pixels[y * page.width + x].map(u32::from);
        u8::try_from((red + green + blue) / 3).unwrap()
    };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(page.width, page.height, grey);
    image.detect_grids().iter().map(|grid| grid.decode().unwrap().1).collect()
}

#[test]
fn qr_codes_are_read_back() {
    /// Dots per inch of a printer.
    const PRINTED: u32 = 300;

    let long = format!("https://example.org/{}", "0123456789abcdef".repeat(20));
    for document in [blank(90), archival(Claim::Ua2, Structure::Direct)] {
        for (looks, place, text) in [
            (with_all(), STAMP, URL),
            (at(1, STAMP).text(NAMES, fonts::sans()).qr_code("42"), STAMP, "42"),
            (at(1, PLACE).qr_code(&long).background(BLUE), PLACE, &*long),
        ] {
            let dots = place.map(|points| (points / 72.0 * f64::from(PRINTED)) as usize);
            for page in drawn(&document, looks, PRINTED) {
                // A search of the whole page takes seconds.
                let [left, bottom, width, height] = dots;
                let stamp = page.part([left, page.height - bottom - height], [width, height]);
                assert_eq!(qr_codes(&stamp), [text]);
            }
        }
    }
    assert_fault(at(1, STAMP).qr_code(&long), AppearanceFault::QrCodeTooSmall);
    assert_fault(at(1, STAMP).qr_code(""), AppearanceFault::QrTextLen);
    assert_fault(at(1, STAMP).qr_code("x".repeat(1025)), AppearanceFault::QrTextLen);
}

fn assert_fault(looks: Appearance, expected: AppearanceFault) {
    let error = sign(&blank(0), &visible(looks)).map(drop).unwrap_err();
    let Error::Appearance { problem } = error else { panic!("{error}") };
    assert_eq!(problem, expected);
}
