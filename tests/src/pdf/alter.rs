//! Changed documents: processed by qpdf or a gateway, damaged, or updated.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::serialize::tail;

/// The encryption that qpdf applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// RC4, 40 bits
    Rc4Short,
    /// RC4, 128 bits
    Rc4,
    /// RC4, 128 bits, with a crypt filter (version 4)
    Rc4CryptFilter,
    /// AES, 128 bits
    Aes128,
    /// AES, 128 bits; the metadata are not encrypted
    Aes128ClearMetadata,
    /// AES, 256 bits, revision 5
    Aes256Revision5,
    /// AES, 256 bits, revision 6
    Aes256,
}

/// Encrypts with qpdf. The owner password is `owner`.
#[must_use]
pub fn encrypted(pdf: &[u8], encryption: Encryption, user_password: &str) -> Vec<u8> {
    let (bits, aes): (_, &[&str]) = match encryption {
        Encryption::Rc4Short => ("40", &[]),
        Encryption::Rc4 => ("128", &["--use-aes=n"]),
        Encryption::Rc4CryptFilter => ("128", &["--use-aes=n", "--force-V4"]),
        Encryption::Aes128 => ("128", &["--use-aes=y"]),
        Encryption::Aes128ClearMetadata => ("128", &["--use-aes=y", "--cleartext-metadata"]),
        Encryption::Aes256Revision5 => ("256", &["--force-R5"]),
        Encryption::Aes256 => ("256", &[]),
    };
    let head =
        ["--allow-weak-crypto", "--static-aes-iv", "--encrypt", user_password, "owner", bits];
    qpdf(pdf, &[&head, aes, &["--"]].concat())
}

/// Linearizes with qpdf.
#[must_use]
pub fn linearized(pdf: &[u8]) -> Vec<u8> {
    qpdf(pdf, &["--linearize"])
}

/// Rewrites with qpdf, with compressed object streams and cross-reference
/// streams.
#[must_use]
pub fn object_streams(pdf: &[u8]) -> Vec<u8> {
    qpdf(pdf, &["--object-streams=generate"])
}

fn qpdf(pdf: &[u8], args: &[&str]) -> Vec<u8> {
    let dir = TempDir::new().unwrap();
    let [before, after] = ["before.pdf", "after.pdf"].map(|name| dir.path().join(name));
    std::fs::write(&before, pdf).unwrap();
    let paths: [&Path; 2] = [&before, &after];
    let output = Command::new("qpdf").arg("--static-id").args(args).args(paths).output();
    let output = output.expect("qpdf is needed: tests/oracles/install.sh installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(&after).unwrap()
}

/// Adds octets before the header. Offsets still count from `%PDF`.
#[must_use]
pub fn junk_before(pdf: &[u8]) -> Vec<u8> {
    [b"X-Gateway: passed\r\n\r\n", pdf].concat()
}

/// Adds 700 NUL octets after `%%EOF`.
#[must_use]
pub fn nuls_after(pdf: &[u8]) -> Vec<u8> {
    [pdf, &[0; 700]].concat()
}

/// Increases the offset in `startxref` by 7.
#[must_use]
pub fn wrong_startxref(pdf: &[u8]) -> Vec<u8> {
    let at = find_last(pdf, "startxref");
    [&pdf[..at], tail(startxref(pdf) + 7).as_bytes()].concat()
}

/// Adds an update whose `/Prev` is its own offset.
#[must_use]
pub fn prev_loop(pdf: &[u8]) -> Vec<u8> {
    let at = pdf.len();
    let update = format!("xref\n0 0\ntrailer\n<</Size 3/Root 1 0 R/Prev {at}>>\n{}", tail(at));
    [pdf, update.as_bytes()].concat()
}

/// Adds an update that replaces the content of the first page. The document has
/// cross-reference tables and can be signed.
#[must_use]
pub fn unsigned_change(pdf: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(pdf);
    let page = text.split("/Contents ").find_map(|rest| {
        let (number, _) = rest.split_once(" 0 R")?;
        number.parse::<u32>().ok()
    });
    let (number, size, root) =
        (page.unwrap(), last_number(pdf, "/Size "), last_number(pdf, "/Root "));
    let content = "1 0 0 rg 100 300 300 300 re f";
    let start = pdf.len() + 1;
    let object = format!(
        "{number} 0 obj\n<</Length {}>>\nstream\n{content}\nendstream\nendobj\n",
        content.len()
    );
    let table = format!(
        "xref\n{number} 1\n{start:010} 00000 n \ntrailer\n<</Size {size}/Root {root} 0 R/Prev {}>>\n",
        startxref(pdf)
    );
    let update = format!("\n{object}{table}{}", tail(start + object.len()));
    [pdf, update.as_bytes()].concat()
}

fn startxref(pdf: &[u8]) -> usize {
    last_number(pdf, "startxref")
}

/// The number after the last occurrence of `name`.
fn last_number(pdf: &[u8], name: &str) -> usize {
    let rest = &pdf[find_last(pdf, name) + name.len()..];
    let rest = rest.trim_ascii_start();
    let end = rest.iter().position(|c| !c.is_ascii_digit()).unwrap();
    std::str::from_utf8(&rest[..end]).unwrap().parse().unwrap()
}

fn find_last(pdf: &[u8], needle: &str) -> usize {
    pdf.windows(needle.len()).rposition(|window| window == needle.as_bytes()).unwrap()
}
