//! XFA forms (ISO 32000-1, 12.7.8), as far as to tell whether the pages are the
//! document.

use crate::document::place::Place;
use crate::error::Error;
use crate::file::Pdf;
use crate::syntax::{Reference, Value};

/// What a form has of XFA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Xfa {
    Absent,
    /// The pages show what it shows.
    Static,
    /// What it shows is made by the viewer; the pages are a stopgap.
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
        // One stream, or the packets of it by their names.
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

/// Whether it says `<dynamicRender>required</dynamicRender>`.
fn is_dynamic(settings: &[u8]) -> bool {
    const ELEMENT: &[u8] = b"dynamicRender";
    const VALUE: &[u8] = b"required";
    /// A tag's parts and the value have no more octets.
    const REACH: usize = 256;

    let found = |text: &[u8]| {
        let mut places = text.windows(ELEMENT.len()).enumerate();
        places.any(|(at, window)| {
            let behind = text.get(at + ELEMENT.len()..).unwrap_or_default();
            let mut parts = behind.get(..REACH).unwrap_or(behind).splitn(2, |o| *o == b'>');
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
    // UTF-16
    let text: Vec<u8> = settings.iter().copied().filter(|octet| *octet != 0).collect();
    found(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_is_told_from_what_is_not() {
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
