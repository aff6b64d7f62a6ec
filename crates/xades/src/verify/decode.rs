//! Decodes base64 text that arrives in pieces (XML Signature, clause 6.6.2).

use std::io;

use ades_core::base64;

/// Number of characters that are decoded at a time.
const GATHERED: usize = 64 * 1024;
/// Number of characters that encode three octets.
const GROUP: usize = 4;

/// Decodes base64 text. White space is ignored.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    gathered: String,
}

impl Decoder {
    /// Takes the next piece of text.
    pub(crate) fn push(&mut self, piece: &[u8], take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        for &octet in piece {
            match octet {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                octet if octet.is_ascii() => self.gathered.push(char::from(octet)),
                _ => return Err(malformed()),
            }
            if self.gathered.len() == GATHERED {
                // Only the last group of the text may contain padding, so the last
                // group so far is withheld.
                let last = self.gathered.split_off(GATHERED - GROUP);
                if self.gathered.contains('=') {
                    return Err(malformed());
                }
                take(&base64::decode(&self.gathered).ok_or_else(malformed)?);
                self.gathered = last;
            }
        }
        Ok(())
    }

    /// Takes the end of the text.
    pub(crate) fn finish(self, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        take(&base64::decode(&self.gathered).ok_or_else(malformed)?);
        Ok(())
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the text is not base64")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str, pieces: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut decoder = Decoder::default();
        for piece in text.as_bytes().chunks(pieces) {
            decoder.push(piece, &mut |octets| out.extend_from_slice(octets))?;
        }
        decoder.finish(&mut |octets| out.extend_from_slice(octets))?;
        Ok(out)
    }

    #[test]
    fn the_result_does_not_depend_on_how_the_text_is_split() {
        let octets: Vec<u8> = (0..100_001u32).map(|n| (n * 7) as u8).collect();
        let mut text = base64::encode(&octets);
        text.insert_str(50_000, " \r\n\t");
        for pieces in [1, 3, 4, 1000, 65_536, 1_000_000] {
            assert_eq!(decoded(&text, pieces).unwrap(), octets);
        }
        assert_eq!(decoded("", 1).unwrap(), b"");
        for wrong in ["QQ", "QQ=", "QR==", "Q Q = = =", "QQ==QQ==", "Q\u{e9}==", "QQ-_"] {
            assert!(decoded(wrong, 2).is_err(), "{wrong}");
        }
        let padded = "QQ==".repeat(GATHERED / 2);
        assert!(decoded(&padded, 100).is_err());
    }
}
