//! What a visible signature in a PDF looks like, as it is asked for.

use std::path::PathBuf;
use std::str::FromStr;

use ades_core::SignatureParameters;
use pades::{Appearance, Rectangle, StampValues};
use serde::{Deserialize, Serialize};

use crate::args::StampOptions;
use crate::exit::Failure;
use crate::input;
use crate::options::PdfWishes;

/// What is said where neither text nor image is asked for.
const TEXT: &str = "{name}\n{time}\n{reason}\n{location}";
/// What an image or a font may have.
const MAX_FILE: u64 = 32 * 1024 * 1024;

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Spot {
    /// Where the existing field is.
    Field,
    /// On this page, counted from 1: left, bottom, width and height in
    /// thousandths of a point.
    Page(usize, [u32; 4]),
}

impl FromStr for Spot {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "neither field nor PAGE:X,Y,WIDTH,HEIGHT";
        /// Wider than any page: 14,400 units of 1/72 inch, or 75,000 of those.
        const MAX: f64 = 1e6;

        if text == "field" {
            return Ok(Self::Field);
        }
        let (page, rectangle) = text.split_once(':').ok_or(WRONG)?;
        let mut points = [0; 4];
        let mut given = rectangle.split(',');
        for points in &mut points {
            let number: f64 = given.next().and_then(|it| it.trim().parse().ok()).ok_or(WRONG)?;
            if !(0.0..=MAX).contains(&number) {
                return Err("a length that is negative or more than 1,000,000 points");
            }
            *points = (number * 1000.0).round() as u32;
        }
        if given.next().is_some() {
            return Err(WRONG);
        }
        Ok(Self::Page(page.trim().parse().map_err(|_| WRONG)?, points))
    }
}

/// What is wanted; files are read when a signature is prepared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StampWishes {
    pub(crate) spot: Spot,
    text: Option<String>,
    image: Option<PathBuf>,
    font: Option<PathBuf>,
}

impl StampWishes {
    pub(crate) fn new(options: StampOptions) -> Result<Option<Self>, Failure> {
        let Some(spot) = options.visible else { return Ok(None) };
        // Read when a document is looked at, and again when it is prepared.
        let file = |name: &str, path: Option<PathBuf>| match path {
            Some(path) if input::is_stream(&path) => {
                Err(Failure::usage(format!("{name}: a file, not a pipe: it is read twice")))
            }
            path => Ok(path.as_deref().map(input::absolute)),
        };
        Ok(Some(Self {
            spot,
            // In a shell, that is how lines are put into one argument.
            text: options.stamp_text.map(|text| text.replace("\\n", "\n")),
            image: file("--stamp-image", options.stamp_image)?,
            font: file("--stamp-font", options.stamp_font)?,
        }))
    }

    /// `name` is the certificate's, once there is one.
    pub(crate) fn appearance(
        &self,
        wishes: &PdfWishes,
        name: Option<&str>,
        parameters: &SignatureParameters,
    ) -> Result<Appearance, Failure> {
        let mut appearance = match self.spot {
            Spot::Field => Appearance::in_field(),
            Spot::Page(page, points) => {
                let [left, bottom, width, height] = points.map(|points| f64::from(points) / 1000.0);
                Appearance::at(page, Rectangle::new(left, bottom, width, height))
            }
        };
        if let Some(image) = &self.image {
            appearance = appearance.image(input::read_at_most(image, MAX_FILE)?);
        }
        let text = match (&self.text, &self.image) {
            (Some(text), _) => text,
            (None, Some(_)) => return Ok(appearance),
            (None, None) => TEXT,
        };
        let time = parameters.signing_time().time().format("%Y-%m-%d %H:%M:%S UTC").to_string();
        let location = parameters.signer_location().map(|place| {
            let parts = [place.locality.as_deref(), place.country.as_deref()];
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        });
        let mut values = StampValues::new().time(&time);
        if let Some(name) = wishes.name.as_deref().or(name) {
            values = values.name(name);
        }
        if let Some(reason) = &wishes.reason {
            values = values.reason(reason);
        }
        if let Some(location) = wishes.location.as_deref().or(location.as_deref()) {
            values = values.location(location);
        }
        let font = match &self.font {
            Some(font) => input::read_at_most(font, MAX_FILE)?,
            None => dejavu::sans::regular().to_vec(),
        };
        let filled = values.fill(text);
        // Without a name, that may be too early to say that nothing is left.
        let filled = if name.is_none() && filled.is_empty() { "-".to_owned() } else { filled };
        Ok(appearance.text(filled, font))
    }
}
