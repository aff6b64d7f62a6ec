//! Fonts for visible signatures.

use std::path::Path;

use crate::corpora;

/// Noto Sans CJK, which Debian's package fonts-noto-cjk installs.
const CJK: &str = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";

/// DejaVu Sans, with TrueType outlines.
#[must_use]
pub fn sans() -> &'static [u8] {
    dejavu::sans::regular()
}

/// A font with CFF outlines, keyed by CIDs, for tens of thousands of characters;
/// `None` if it is not installed.
///
/// # Panics
/// If it is not installed and `CI` is set.
#[must_use]
#[track_caller]
pub fn cjk() -> Option<Vec<u8>> {
    if !Path::new(CJK).exists() {
        corpora::did_not_run(&format!("{CJK} is missing; tests/oracles/install.sh installs it"));
        return None;
    }
    Some(std::fs::read(CJK).unwrap_or_else(|e| panic!("{CJK}: {e}")))
}
