//! Detects XFA forms (ISO 32000-1, 12.7.8), and whether the pages in the file show
//! their content.

use crate::document::place::Place;
use crate::error::Error;
use crate::file::Pdf;
use crate::syntax::{Reference, Value};

/// The kind of a document's XFA form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Xfa {
    Absent,
    /// The pages in the file show the content of the form.
    Static,
    /// The viewer makes the pages from XFA; the pages in the file are placeholders.
    Dynamic,
}

impl Xfa {
    pub(crate) fn read(pdf: &mut Pdf<'_>, catalog: &Value) -> Result<Self, Error> {
        if pdf.get(catalog, b"NeedsRendering")?.and_then(|needs| needs.boolean()) == Some(true) {
            return Ok(Self::Dynamic);
        }
        let Some(form) = Place::of(pdf, catalog, b"AcroForm")?.into_dictionary() else {
            return Ok(Self::Absent);
        };
        let Some(xfa) = pdf.get(&form, b"XFA")? else {
            return Ok(Self::Absent);
        };
        // The value is one stream, or an array of names and packets.
        let settings = match xfa.elements() {
            Some(packets) => packet(pdf, packets, b"config")?,
            None => form.get(b"XFA").and_then(Value::reference),
        };
        let settings = settings.map(|settings| pdf.follow(settings)).transpose()?.flatten();
        let data = match settings.filter(|settings| settings.is_stream()) {
            Some(settings) => pdf.data(&settings)?,
            None => None,
        };
        let dynamic = data.is_some_and(|data| is_dynamic(&data));
        Ok(if dynamic { Self::Dynamic } else { Self::Static })
    }
}

fn packet(pdf: &mut Pdf<'_>, packets: &[Value], wanted: &[u8]) -> Result<Option<Reference>, Error> {
    for pair in packets.chunks(2) {
        if let [name, packet] = pair
            && pdf.resolve(name)?.string() == Some(wanted)
        {
            return Ok(packet.reference());
        }
    }
    Ok(None)
}

/// Whether the settings contain `<dynamicRender>required</dynamicRender>`.
fn is_dynamic(settings: &[u8]) -> bool {
    const ELEMENT: &[u8] = b"dynamicRender";
    const VALUE: &[u8] = b"required";
    /// Maximum distance of the tag's start and of the value from the element's name.
    const REACH: usize = 256;

    let found = |text: &[u8]| {
        let mut places = text.windows(ELEMENT.len()).enumerate();
        places.any(|(at, window)| {
            let after = text.get(at + ELEMENT.len()..).unwrap_or_default();
            let mut parts = after.get(..REACH).unwrap_or(after).splitn(2, |o| *o == b'>');
            let before = text.get(at.saturating_sub(REACH)..at).unwrap_or_default();
            let name = before.rsplit(|o| *o == b'<').next().unwrap_or_default();
            window == ELEMENT
                && !name.starts_with(b"/")
                && parts.nth(1).is_some_and(|value| value.trim_ascii_start().starts_with(VALUE))
        })
    };
    if !settings.contains(&0) {
        return found(settings);
    }
    // UTF-16: without its zeros, ASCII text remains.
    let text: Vec<u8> = settings.iter().copied().filter(|octet| *octet != 0).collect();
    found(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dynamic_rendering_counts_only_if_it_is_required() {
        for (settings, dynamic) in [
            ("<dynamicRender>required</dynamicRender>", true),
            ("<xci:dynamicRender\n> required </xci:dynamicRender>", true),
            ("<dynamicRender>forbidden</dynamicRender>required", false),
            ("<dynamicRender/>", false),
            ("dynamicRender", false),
            ("", false),
        ] {
            assert_eq!(is_dynamic(settings.as_bytes()), dynamic, "{settings}");
            let wide: Vec<u8> = settings.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(is_dynamic(&wide), dynamic, "{settings}");
        }
    }
}
