//! The visible part of a page, and its rotation (ISO 32000-2, 14.11.2).

use std::collections::HashSet;

use super::page::MAX_LEVELS;
use crate::appearance::{Frame, Rectangle};
use crate::error::{Error, Limit, exceeds, structure};
use crate::file::Pdf;
use crate::syntax::{Kind, Value};

/// The size of a page without a media box: viewers assume US Letter.
const LETTER: [f64; 4] = [0.0, 0.0, 612.0, 792.0];

/// The crop box, lower left corner first; the rotation in degrees clockwise; the
/// length of the page's unit in points.
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
        let media = media.ok_or(structure("a page's /MediaBox is not a rectangle"))?;
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
        // /UserUnit is not inheritable (table 31).
        let unit = pdf.get(page, b"UserUnit")?.as_ref().and_then(number);
        let unit = unit.filter(|unit| *unit > 0.0).unwrap_or(1.0);
        Ok(Self { crop: if empty { media } else { inside }, rotate, unit })
    }

    /// The corners on the page of a rectangle as the user sees it; `None` outside the
    /// page. The appearance has the visible size: viewers fit it into the widget
    /// (12.5.5).
    pub(crate) fn place(&self, rectangle: Rectangle) -> Option<([f64; 4], Frame)> {
        /// In units: boxes are written with only a few decimals.
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

    /// The page as the user sees it, in points.
    pub(crate) fn area(&self) -> Rectangle {
        let [left, bottom, right, top] = self.crop;
        let Frame { width, height, .. } = self.frame([left, bottom, right, top]);
        Rectangle::new(0.0, 0.0, width, height)
    }

    /// The size and rotation of a widget on the page, as the user sees it.
    pub(crate) fn frame(&self, [left, bottom, right, top]: [f64; 4]) -> Frame {
        let (width, height) = (right - left, top - bottom);
        let turned = matches!(self.rotate, 90 | 270);
        let (width, height) = if turned { (height, width) } else { (width, height) };
        self.seen(width, height)
    }

    /// Converts units to points.
    fn seen(&self, width: f64, height: f64) -> Frame {
        Frame { width: width * self.unit, height: height * self.unit, rotate: self.rotate }
    }
}

/// A page's entry, or that of the nearest node above with this key.
pub(crate) fn inherited(
    pdf: &mut Pdf<'_>,
    page: &Value,
    key: &[u8],
) -> Result<Option<Value>, Error> {
    let mut node = page.clone();
    let mut seen = HashSet::new();
    for _ in 0..MAX_LEVELS {
        if let Some(value) = pdf.get(&node, key)?.filter(|value| !value.is_null()) {
            return Ok(Some(value));
        }
        let above = node.get(b"Parent").and_then(Value::reference);
        if above.is_some_and(|above| !seen.insert(above)) {
            return Err(structure("a node of the page tree is its own ancestor (/Parent)"));
        }
        match pdf.get(&node, b"Parent")? {
            Some(parent) if parent.is_dictionary() => node = parent,
            _ => return Ok(None),
        }
    }
    Err(exceeds(Limit::PageTreeLevels))
}

/// A rectangle, lower left corner first. A file may have any two opposite corners.
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
