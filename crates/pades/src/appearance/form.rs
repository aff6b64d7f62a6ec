//! The form XObject that a viewer shows in the widget (ISO 32000-2, 12.5.5).

use super::font::Font;
use super::image::Image;
use super::qr_code::Symbol;
use super::style::{Alignment, Colour, HorizontalAlignment};
use super::{Appearance, colour, text};
use crate::document::pdf_a;
use crate::error::{AppearanceFault, Error};
use crate::extend::Update;
use crate::file::Pdf;
use crate::syntax::{Reference, Value};

/// The colour space of black letters: a calibrated one, which PDF/A allows with any output intent.
/// White is not in this space, because viewers tint it.
const GREY: &str = "/C0[/CalGray<</WhitePoint[0.9505 1 1.089]>>]";

/// Space at each side in points, but at most a tenth of the size.
const PADDING: f64 = 3.0;
/// Maximum share of the width that an image or a QR code takes beside other content.
const PART: f64 = 0.4;
/// As [`PART`], if an image and a QR code are beside text.
const SMALL_PART: f64 = 0.3;

/// The visible size of a widget in points, and the rotation of its page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) rotate: u16,
}

impl Frame {
    /// The matrix that undoes the rotation of the page.
    fn matrix(&self) -> String {
        let (width, height) = (number(self.width), number(self.height));
        match self.rotate {
            90 => format!("[0 1 -1 0 {height} 0]"),
            180 => format!("[-1 0 0 -1 {width} {height}]"),
            270 => format!("[0 -1 1 0 0 {width}]"),
            _ => "[1 0 0 1 0 0]".to_owned(),
        }
    }
}

/// A number with up to three decimals.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Adds the form XObject and its resources to the update.
pub(crate) fn draw(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &Value,
    appearance: &Appearance,
    frame: Frame,
) -> Result<Reference, Error> {
    let archival = appearance.has_colours() && pdf_a::is_claimed(pdf, catalog)?;
    let mut drawing = Drawing::new(appearance, frame)?;
    drawing.paint_frame(appearance, frame);
    if let Some(file) = &appearance.image {
        drawing.add_image(pdf, update, appearance, file, archival)?;
    }
    if let Some(text) = &appearance.qr_code {
        drawing.add_qr_code(appearance, text)?;
    }
    if let Some((text, font)) = &appearance.text {
        let mut font = Font::read(font)?;
        let lines = text::lay_out(text, &mut font, drawing.area.edges(), appearance.alignment)?;
        let is_white = appearance.background.is_some_and(Colour::is_dark);
        drawing.has_grey = !is_white;
        let ink = if is_white { "/C1 cs 1 1 1 sc" } else { "/C0 cs 0 sc" };
        drawing.content.push_str(&format!("{ink}\n{lines}"));
        drawing.fonts = format!("/Font<</F0 {}>>", font.embed(pdf, update)?);
    }
    let form = update.allocate();
    let entries = format!(
        "/Type/XObject/Subtype/Form/BBox[0 0 {} {}]/Matrix{}/Resources<<{}>>",
        number(frame.width),
        number(frame.height),
        frame.matrix(),
        drawing.resources(archival)
    );
    update.add_stream(pdf, form, &entries, drawing.content.as_bytes());
    Ok(form)
}

/// A part of the rectangle, in points.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: f64,
    bottom: f64,
    width: f64,
    height: f64,
}

impl Area {
    const fn edges(self) -> [f64; 4] {
        [self.left, self.bottom, self.width, self.height]
    }
}

/// The content so far, and the area that is left for the rest.
struct Drawing {
    area: Area,
    padding: f64,
    /// Maximum width of an image or a QR code.
    part: f64,
    /// Whether the appearance has only one part.
    is_single: bool,
    content: String,
    images: String,
    fonts: String,
    has_grey: bool,
    has_rgb: bool,
}

impl Drawing {
    fn new(appearance: &Appearance, frame: Frame) -> Result<Self, Error> {
        let border = appearance.border.map_or(0.0, |border| border.width());
        let [width, height] = [frame.width, frame.height].map(|size| size - 2.0 * border);
        if appearance.border.is_some() && !(border > 0.0 && width > 0.0 && height > 0.0) {
            return Err(Error::Appearance { problem: AppearanceFault::BorderWidth });
        }
        let padding = PADDING.min(width / 10.0).min(height / 10.0);
        let edge = border + padding;
        let [width, height] = [width, height].map(|size| size - 2.0 * padding);
        let parts =
            [appearance.text.is_some(), appearance.image.is_some(), appearance.qr_code.is_some()];
        let count = parts.into_iter().filter(|is_there| *is_there).count();
        Ok(Self {
            area: Area { left: edge, bottom: edge, width, height },
            padding,
            part: match count {
                3 => width * SMALL_PART,
                2 => width * PART,
                _ => width,
            },
            is_single: count == 1,
            content: String::new(),
            images: String::new(),
            fonts: String::new(),
            has_grey: false,
            has_rgb: false,
        })
    }

    /// Paints the background and the border.
    fn paint_frame(&mut self, appearance: &Appearance, frame: Frame) {
        let [width, height] = [frame.width, frame.height];
        let outer = format!("0 0 {} {} re", number(width), number(height));
        if let Some(background) = appearance.background {
            self.content.push_str(&format!("/C1 cs {} sc {outer} f\n", background.operands()));
        }
        if let Some(border) = appearance.border {
            let own = border.width();
            let inner = [own, own, width - 2.0 * own, height - 2.0 * own].map(number).join(" ");
            let ink = border.colour().operands();
            self.content.push_str(&format!("/C1 cs {ink} sc {outer} {inner} re f*\n"));
        }
        self.has_rgb = appearance.background.or(appearance.border.map(|it| it.colour())).is_some();
    }

    /// Adds the image: on the left, unless it is alone.
    fn add_image(
        &mut self,
        pdf: &Pdf<'_>,
        update: &mut Update,
        appearance: &Appearance,
        file: &[u8],
        archival: bool,
    ) -> Result<(), Error> {
        let image = Image::read(file)?;
        let [own_width, own_height] = image.size().map(f64::from);
        let scale = (self.part / own_width).min(self.area.height / own_height);
        let size = [own_width * scale, own_height * scale];
        let place = self.take(size, HorizontalAlignment::Left, appearance.alignment);
        let matrix = image.matrix(place).map(number).join(" ");
        self.content.push_str(&format!("q {matrix} cm /I0 Do Q\n"));
        let ground = appearance.background.unwrap_or(Colour::WHITE);
        let image = image.embed(pdf, update, archival.then_some(ground))?;
        self.images = format!("/XObject<</I0 {image}>>");
        Ok(())
    }

    /// Adds the QR code: on the right, unless it is alone.
    fn add_qr_code(&mut self, appearance: &Appearance, text: &str) -> Result<(), Error> {
        let symbol = Symbol::encode(text)?;
        // Without text, the image leaves the rest of the width.
        let width = if appearance.text.is_some() { self.part } else { self.area.width };
        let side = width.min(self.area.height);
        let [left, bottom, ..] =
            self.take([side; 2], HorizontalAlignment::Right, appearance.alignment);
        self.content.push_str(&format!("/C1 cs {}", symbol.draw([left, bottom, side])?));
        self.has_rgb = true;
        Ok(())
    }

    /// Takes the place of a part with this size at a side of the area: left, bottom, width and
    /// height. A single part has the alignment of the appearance.
    fn take(
        &mut self,
        [width, height]: [f64; 2],
        side: HorizontalAlignment,
        alignment: Alignment,
    ) -> [f64; 4] {
        let Area { left, bottom, .. } = self.area;
        let single = alignment.horizontal.unwrap_or(HorizontalAlignment::Centre);
        let own = if self.is_single { single } else { side };
        let x = left + own.offset_from_left(self.area.width - width);
        let y = bottom + alignment.offset_from_bottom(self.area.height - height);
        let taken = width + 2.0 * self.padding;
        self.area.width -= taken;
        if side == HorizontalAlignment::Left {
            self.area.left += taken;
        }
        [x, y, width, height]
    }

    fn resources(&self, archival: bool) -> String {
        let grey = if self.has_grey { GREY } else { "" };
        let rgb =
            if self.has_rgb { format!("/C1{}", colour::rgb(archival)) } else { String::new() };
        let spaces = match (self.has_grey, self.has_rgb) {
            (false, false) => String::new(),
            _ => format!("/ColorSpace<<{grey}{rgb}>>"),
        };
        format!("{}{spaces}{}", self.images, self.fonts)
    }
}
