//! QR codes (ISO/IEC 18004), drawn as rectangles.

use qrcodegen::{QrCode, QrCodeEcc, QrSegment};

use super::form::number;
use crate::error::{AppearanceFault, Error};

/// Maximum length of the text in octets. A symbol has room for 2,331 with this error correction,
/// but telephones do not read such symbols from paper.
pub(super) const MAX_QR_TEXT: usize = 1024;
/// The width of the light border around a symbol, in modules (ISO/IEC 18004, 6.3.8).
const QUIET_ZONE: i32 = 4;
/// Minimum size of a module in points: a quarter of a millimetre, three dots of a printer with
/// 300 dots per inch.
const MIN_MODULE: f64 = 0.7;
/// The assignment number of UTF-8 (AIM ECI). Without it, octets are ISO-8859-1.
const UTF_8: u32 = 26;

/// A symbol with its quiet zone.
pub(super) struct Symbol(QrCode);

const fn fail(problem: AppearanceFault) -> Error {
    Error::Appearance { problem }
}

impl Symbol {
    pub(super) fn encode(text: &str) -> Result<Self, Error> {
        let mut segments = QrSegment::make_segments(text);
        if !text.is_ascii() {
            segments.insert(0, QrSegment::make_eci(UTF_8));
        }
        let symbol = QrCode::encode_segments(&segments, QrCodeEcc::Medium);
        symbol.map(Self).map_err(|_| fail(AppearanceFault::QrTextLen))
    }

    /// The operators that draw the symbol and its quiet zone in a square. The current colour space
    /// is RGB. All modules are one path, because many viewers show seams between paths.
    pub(super) fn draw(&self, [left, bottom, side]: [f64; 3]) -> Result<String, Error> {
        let size = self.0.size();
        let module = side / f64::from(size + 2 * QUIET_ZONE);
        if module < MIN_MODULE {
            return Err(fail(AppearanceFault::QrCodeTooSmall));
        }
        let square = [left, bottom, side, side].map(number).join(" ");
        // From here on, a unit is a module, and the origin is the symbol's lower left corner.
        let scale = format!("{module:.6}");
        let [x, y] = [left, bottom].map(|at| number(at + f64::from(QUIET_ZONE) * module));
        let mut out = format!("q 1 1 1 sc {square} re f 0 0 0 sc {scale} 0 0 {scale} {x} {y} cm\n");
        for row in 0..size {
            let mut column = 0;
            while column < size {
                let start = column;
                while self.0.get_module(column, row) {
                    column += 1;
                }
                if column > start {
                    let run = column - start;
                    out.push_str(&format!("{start} {} {run} 1 re\n", size - 1 - row));
                }
                column += 1;
            }
        }
        out.push_str("f Q\n");
        Ok(out)
    }
}
