//! Colours, borders and alignment.

use serde::{Deserialize, Serialize};

use super::form::number;

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Colour([u8; 3]);

impl Colour {
    /// Black
    pub const BLACK: Self = Self([0; 3]);
    /// White
    pub const WHITE: Self = Self([0xFF; 3]);

    /// A colour by its components.
    #[must_use]
    pub const fn rgb(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    pub(super) const fn components(self) -> [u8; 3] {
        self.0
    }

    /// The components as operands.
    pub(super) fn operands(self) -> String {
        self.0.map(|component| number(f64::from(component) / 255.0)).join(" ")
    }

    /// Whether white letters have a higher contrast with this colour than black ones. The higher
    /// contrast of the two is at least 4.58, more than the 4.5 of WCAG 2.2, 1.4.3.
    pub(super) fn is_dark(self) -> bool {
        // The contrasts 1.05 / (l + 0.05) and (l + 0.05) / 0.05 are equal at this luminance.
        const EQUAL: f64 = 0.179_128_784_747_792;

        let [red, green, blue] = self.0.map(|component| {
            let value = f64::from(component) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue < EQUAL
    }
}

/// The border of a visible signature, within its rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Border {
    /// In thousandths of a point
    width: i64,
    colour: Colour,
}

impl Border {
    /// A border by its width in points, rounded to thousandths.
    #[must_use]
    pub fn new(width: f64, colour: Colour) -> Self {
        Self { width: (width * 1000.0).round() as i64, colour }
    }

    pub(super) fn width(self) -> f64 {
        self.width as f64 / 1000.0
    }

    pub(super) const fn colour(self) -> Colour {
        self.colour
    }
}

/// The alignment of a visible signature's content in its rectangle.
///
/// Without a horizontal alignment, each line of text begins at the side where its script begins,
/// and an image or a QR code alone is in the centre. Beside other content, an image is on the
/// left, and a QR code on the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Alignment {
    /// From left to right
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizontal: Option<HorizontalAlignment>,
    /// From top to bottom; without it, in the middle
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertical: Option<VerticalAlignment>,
}

impl Alignment {
    /// The default alignment.
    #[must_use]
    pub const fn new() -> Self {
        Self { horizontal: None, vertical: None }
    }

    /// Sets the horizontal alignment.
    #[must_use]
    pub const fn horizontal(mut self, alignment: HorizontalAlignment) -> Self {
        self.horizontal = Some(alignment);
        self
    }

    /// Sets the vertical alignment.
    #[must_use]
    pub const fn vertical(mut self, alignment: VerticalAlignment) -> Self {
        self.vertical = Some(alignment);
        self
    }

    /// The distance between the bottoms of an area and of content in it, for the difference of
    /// their heights.
    pub(super) fn offset_from_bottom(self, difference: f64) -> f64 {
        match self.vertical {
            Some(VerticalAlignment::Top) => difference,
            Some(VerticalAlignment::Middle) | None => difference / 2.0,
            Some(VerticalAlignment::Bottom) => 0.0,
        }
    }
}

/// An alignment from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HorizontalAlignment {
    /// At the left side
    Left,
    /// In the centre
    Centre,
    /// At the right side
    Right,
}

impl HorizontalAlignment {
    /// The distance between the left sides of an area and of content in it, for the difference of
    /// their widths.
    pub(super) fn offset_from_left(self, difference: f64) -> f64 {
        match self {
            Self::Left => 0.0,
            Self::Centre => difference / 2.0,
            Self::Right => difference,
        }
    }
}

/// An alignment from top to bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum VerticalAlignment {
    /// At the top
    Top,
    /// In the middle
    Middle,
    /// At the bottom
    Bottom,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrasts are those of WCAG 2.2: black on pure red has 5.25 and white 4.00; #767676 is
    /// the lightest grey on which white has 4.5, and black has 4.62 there.
    #[test]
    fn letters_have_the_higher_contrast() {
        for (components, is_dark) in [
            ([0x00, 0x00, 0x00], true),
            ([0x00, 0x33, 0x99], true),
            ([0x75, 0x75, 0x75], true),
            ([0x76, 0x76, 0x76], false),
            ([0xFF, 0x00, 0x00], false),
            ([0xFF, 0xCC, 0x00], false),
            ([0xFF, 0xFF, 0xFF], false),
        ] {
            let [red, green, blue] = components;
            assert_eq!(Colour::rgb(red, green, blue).is_dark(), is_dark, "{components:?}");
        }
    }
}
