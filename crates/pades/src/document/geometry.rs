//! What of a page is seen, and how it is turned (ISO 32000-2, 14.11.2).

use crate::appearance::{Frame, Rectangle};
use crate::error::{Error, Limit, exceeds, structure};
use crate::file::Pdf;
use crate::syntax::{Kind, Value};

/// Page tree nodes between a page and what it inherits.
const MAX_LEVELS: usize = 64;
/// A page without a media box is taken for US Letter, as viewers do.
const LETTER: [f64; 4] = [0.0, 0.0, 612.0, 792.0];

/// The crop box, lower left corner first, the turn in degrees clockwise, and how
/// many points a unit of the page is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    crop: [f64; 4],
    rotate: u16,
    unit: f64,
}

impl Geometry {
    pub(crate) fn read(pdf: &mut Pdf<'_>, page: &Value) -> Result<Self, Error> {
        let media = inherited(pdf, page, b"MediaBox")?;
        let media = media.map_or(Ok(Some(LETTER)), |value| rectangle(pdf, &value))?;
        let media = media.ok_or(structure("a page's /MediaBox is no rectangle"))?;
        let crop = inherited(pdf, page, b"CropBox")?;
        let crop = crop.map_or(Ok(None), |value| rectangle(pdf, &value))?.unwrap_or(media);
        let [left, bottom, right, top] = media;
        let inside = [
            crop[0].clamp(left, right),
            crop[1].clamp(bottom, top),
            crop[2].clamp(left, right),
            crop[3].clamp(bottom, top),
        ];
        let empty = inside[0] >= inside[2] || inside[1] >= inside[3];
        let turn = inherited(pdf, page, b"Rotate")?.and_then(|turn| turn.integer()).unwrap_or(0);
        let rotate = match turn.rem_euclid(360) {
            90 => 90,
            180 => 180,
            270 => 270,
            _ => 0,
        };
        // Of the page itself only (table 31).
        let unit = pdf.get(page, b"UserUnit")?.as_ref().and_then(number);
        let unit = unit.filter(|unit| *unit > 0.0).unwrap_or(1.0);
        Ok(Self { crop: if empty { media } else { inside }, rotate, unit })
    }

    /// Where a rectangle that the user sees stands on the page, if it does. What is
    /// drawn has the size that is seen: viewers fit it into the widget (12.5.5).
    pub(crate) fn place(&self, rectangle: Rectangle) -> Option<([f64; 4], Frame)> {
        /// Boxes are written with a few decimals only.
        const TOLERANCE: f64 = 0.01;

        let Rectangle { left, bottom, width, height } = rectangle;
        let [u, v, width, height] =
            [left, bottom, width, height].map(|it| it as f64 / 1000.0 / self.unit);
        let [left, bottom, right, top] = self.crop;
        let turned = matches!(self.rotate, 90 | 270);
        let (across, up) = (right - left, top - bottom);
        let (across, up) = if turned { (up, across) } else { (across, up) };
        if width <= 0.0
            || height <= 0.0
            || u < 0.0
            || v < 0.0
            || u + width > across + TOLERANCE
            || v + height > up + TOLERANCE
        {
            return None;
        }
        let corner = match self.rotate {
            90 => [right - v - height, bottom + u],
            180 => [right - u - width, top - v - height],
            270 => [left + v, top - u - width],
            _ => [left + u, bottom + v],
        };
        let (w, h) = if turned { (height, width) } else { (width, height) };
        let [x, y] = corner;
        Some(([x, y, x + w, y + h], self.seen(width, height)))
    }

    /// How a widget is seen that stands on the page.
    pub(crate) fn frame(&self, [left, bottom, right, top]: [f64; 4]) -> Frame {
        let (width, height) = (right - left, top - bottom);
        let turned = matches!(self.rotate, 90 | 270);
        let (width, height) = if turned { (height, width) } else { (width, height) };
        self.seen(width, height)
    }

    /// So many units, in points.
    fn seen(&self, width: f64, height: f64) -> Frame {
        Frame { width: width * self.unit, height: height * self.unit, rotate: self.rotate }
    }
}

/// A page's entry, or that of the nearest node above that has it.
pub(crate) fn inherited(
    pdf: &mut Pdf<'_>,
    page: &Value,
    key: &[u8],
) -> Result<Option<Value>, Error> {
    let mut node = page.clone();
    for _ in 0..MAX_LEVELS {
        if let Some(value) = pdf.get(&node, key)?.filter(|value| !value.is_null()) {
            return Ok(Some(value));
        }
        match pdf.get(&node, b"Parent")? {
            Some(parent) if parent.is_dictionary() => node = parent,
            _ => return Ok(None),
        }
    }
    Err(exceeds(Limit::PageTreeLevels))
}

/// Four numbers, whichever two corners they are of.
pub(crate) fn rectangle(pdf: &mut Pdf<'_>, value: &Value) -> Result<Option<[f64; 4]>, Error> {
    let mut numbers = Vec::new();
    for element in value.elements().unwrap_or_default().iter().take(5) {
        numbers.extend(number(&pdf.resolve(element)?));
    }
    let Ok([a, b, c, d]) = <[f64; 4]>::try_from(numbers) else {
        return Ok(None);
    };
    Ok(Some([a.min(c), b.min(d), a.max(c), b.max(d)]))
}

fn number(value: &Value) -> Option<f64> {
    let number = match &value.kind {
        Kind::Integer(integer) => *integer as f64,
        Kind::Real(text) => std::str::from_utf8(text).ok()?.parse().ok()?,
        _ => return None,
    };
    (number.abs() < 1e9).then_some(number)
}
