//! Programs that read PDF: qpdf, mutool, and poppler's pdfsig and pdftoppm.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A program's verdict on a file, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// No messages.
    Ok,
    /// Readable, with warnings.
    Warnings,
    /// Not readable, at least in part.
    Errors,
    /// The program crashed.
    Crash,
}

/// The result of `qpdf --check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qpdf {
    /// The verdict.
    pub verdict: Verdict,
    /// The password is wrong.
    pub needs_password: bool,
    /// The file is encrypted.
    pub encrypted: bool,
    /// The number of pages, if the program reports it.
    pub pages: Option<u32>,
    /// Warnings and errors, without the file's name.
    pub messages: Vec<String>,
}

/// Runs `qpdf --check`.
#[must_use]
pub fn qpdf_check(pdf: &Path, password: Option<&str>) -> Qpdf {
    let password = format!("--password={}", password.unwrap_or_default());
    let check = run("qpdf", [OsStr::new("--check"), password.as_ref(), pdf.as_ref()]);
    let pages = run("qpdf", [OsStr::new("--show-npages"), password.as_ref(), pdf.as_ref()]);
    let errors = String::from_utf8_lossy(&check.stderr);
    let needs_password = errors.contains("invalid password");
    let out = String::from_utf8_lossy(&check.stdout);
    let name = pdf.display().to_string();
    Qpdf {
        verdict: match check.status.code() {
            Some(0) => Verdict::Ok,
            Some(3) => Verdict::Warnings,
            Some(_) => Verdict::Errors,
            None => Verdict::Crash,
        },
        needs_password,
        encrypted: needs_password
            || out.lines().any(|line| line.starts_with("R = "))
            || errors.contains("encryption dictionary"),
        pages: String::from_utf8_lossy(&pages.stdout).trim().parse().ok(),
        messages: errors
            .lines()
            .filter(|line| !line.contains("operation succeeded with warnings"))
            .map(|line| line.replace(&name, "").trim_start_matches(['W', ':']).to_owned())
            .collect(),
    }
}

/// Whether `after` has a verdict at least as good as `before`, the same number of
/// pages, and no new kind of message. Positions and object numbers in messages do
/// not count.
#[must_use]
pub fn same_or_better(before: &Qpdf, after: &Qpdf) -> bool {
    let kinds = |qpdf: &Qpdf| -> BTreeSet<String> {
        let kind = |message: &String| message.replace(|c: char| c.is_ascii_digit(), "");
        qpdf.messages.iter().map(kind).collect()
    };
    after.verdict <= before.verdict
        && after.pages == before.pages
        && kinds(after).is_subset(&kinds(before))
}

/// The results of `mutool info` and `mutool clean`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutool {
    /// Both commands read the whole file.
    pub readable: bool,
    /// mutool rebuilt the cross-reference section.
    pub repaired: bool,
    /// The number of pages, if the program reports it.
    pub pages: Option<u32>,
    /// Warnings and errors of both commands.
    pub messages: Vec<String>,
}

/// Runs `mutool info` and `mutool clean`.
#[must_use]
pub fn mutool_check(pdf: &Path, password: Option<&str>) -> Mutool {
    let dir = TempDir::new().unwrap();
    let cleaned = dir.path().join("cleaned.pdf");
    let password = [OsStr::new("-p"), password.unwrap_or_default().as_ref()];
    let ask = |command: &str, rest: &[&OsStr]| {
        run("mutool", [&[command.as_ref()][..], &password, rest].concat())
    };
    let info = ask("info", &[pdf.as_ref()]);
    let clean = ask("clean", &[pdf.as_ref(), cleaned.as_ref()]);
    let mut messages = Vec::new();
    for output in [&info, &clean] {
        messages.extend(String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned));
    }
    let out = String::from_utf8_lossy(&info.stdout);
    Mutool {
        readable: info.status.success() && clean.status.success(),
        repaired: messages.iter().any(|message| message.contains("repair")),
        pages: out.lines().find_map(|line| line.strip_prefix("Pages: ")?.parse().ok()),
        messages,
    }
}

/// The verdict of pdfsig on one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdfsig {
    /// The field's full name.
    pub field: String,
    /// The common name of the signer's certificate.
    pub signer: Option<String>,
    /// The SubFilter, such as `ETSI.CAdES.detached`.
    pub subfilter: Option<String>,
    /// The first and last octet of each signed range.
    pub ranges: Vec<(u64, u64)>,
    /// The ranges cover the whole file except the signature.
    pub total_document: bool,
    /// Digest and signature value are right. Trust is not checked.
    pub valid: bool,
    /// The message of pdfsig.
    pub verdict: String,
}

/// Runs `pdfsig`. Returns one verdict for each signature. An error if it cannot
/// read the file.
pub fn pdfsig(pdf: &Path, password: Option<&str>) -> Result<Vec<Pdfsig>, String> {
    let password = password.unwrap_or_default();
    let output = run("pdfsig", ["-nocert".as_ref(), "-upw".as_ref(), password.as_ref(), pdf]);
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("does not contain any signatures") {
        return Ok(Vec::new());
    }
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let fields = text.split("\nSignature #").skip(1);
    Ok(fields.filter(|field| !field.contains("form field is not signed")).map(signature).collect())
}

fn signature(text: &str) -> Pdfsig {
    let line = |name: &str| {
        let value = |line: &str| line.strip_prefix("  - ")?.strip_prefix(name).map(str::to_owned);
        text.lines().find_map(value)
    };
    let verdict = line("Signature Validation: ").unwrap_or_default();
    Pdfsig {
        field: line("Signature Field Name: ").unwrap_or_default(),
        signer: line("Signer Certificate Common Name: "),
        subfilter: line("Signature Type: "),
        ranges: line("Signed Ranges: ").iter().flat_map(|ranges| ranges_of(ranges)).collect(),
        total_document: line("Total document signed").is_some(),
        valid: verdict == "Signature is Valid.",
        verdict,
    }
}

fn ranges_of(text: &str) -> Vec<(u64, u64)> {
    let range = |range: &str| {
        let (first, last) = range.trim_matches(['[', ']']).split_once(" - ")?;
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    text.split(", ").filter_map(range).collect()
}

/// The crop box of each page that poppler draws, at 50 dpi: page number and
/// pixels.
#[must_use]
pub fn render(pdf: &Path, password: Option<&str>) -> BTreeMap<u32, Vec<u8>> {
    let dir = TempDir::new().unwrap();
    let password = password.unwrap_or_default();
    let page = dir.path().join("page");
    let options = ["-r", "50", "-cropbox", "-upw", password].map(OsStr::new);
    run("pdftoppm", [&options[..], &[pdf.as_ref(), page.as_ref()]].concat());
    std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            (name["page-".len()..].parse().unwrap(), std::fs::read(&path).unwrap())
        })
        .collect()
}

/// A page as poppler draws it, with three octets per pixel.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// The width in pixels.
    pub width: usize,
    /// The height in pixels.
    pub height: usize,
    /// The pixels, row by row from the upper left corner.
    pub pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// The crop box of a page at `dpi` dots per inch.
    #[must_use]
    pub fn of(pdf: &Path, page: u32, dpi: u32, password: Option<&str>) -> Self {
        Self::try_of(pdf, page, dpi, password).unwrap()
    }

    /// As [`of`](Self::of). Returns `None` if the page cannot be drawn.
    #[must_use]
    pub fn try_of(pdf: &Path, page: u32, dpi: u32, password: Option<&str>) -> Option<Self> {
        let (page, dpi) = (page.to_string(), dpi.to_string());
        let password = password.unwrap_or_default();
        let options = ["-r", &dpi, "-cropbox", "-f", &page, "-l", &page, "-upw", password];
        let run = run("pdftoppm", options.map(OsStr::new).into_iter().chain([pdf.as_ref()]));
        let mut parts = run.stdout.splitn(4, |octet| *octet == b'\n');
        let mut line = || std::str::from_utf8(parts.next()?).ok();
        line().filter(|magic| *magic == "P6")?;
        let (width, height) = line()?.split_once(' ')?;
        line().filter(|depth| *depth == "255")?;
        let pixels = parts.next()?.as_chunks().0.to_vec();
        Some(Self { width: width.parse().ok()?, height: height.parse().ok()?, pixels })
    }

    /// The part with this upper left corner and size.
    #[must_use]
    pub fn part(&self, [left, top]: [usize; 2], [width, height]: [usize; 2]) -> Self {
        let row = |y: usize| &self.pixels[y * self.width + left..][..width];
        let pixels = (top..top + height).flat_map(row).copied().collect();
        Self { width, height, pixels }
    }

    /// The mean difference of two pictures of the same size, per pixel and colour,
    /// from 0 to 255.
    #[must_use]
    pub fn difference(&self, other: &Self) -> f64 {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let pairs = self.pixels.as_flattened().iter().zip(other.pixels.as_flattened());
        let sum: f64 = pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
        sum / self.pixels.as_flattened().len() as f64
    }

    /// The bounds of the differences between two pictures of the same size: left,
    /// top, right, bottom. `None` if there are no differences.
    #[must_use]
    pub fn changed(&self, other: &Self) -> Option<[usize; 4]> {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let places = (0..self.pixels.len()).filter(|at| self.pixels[*at] != other.pixels[*at]);
        places.map(|at| [at % self.width, at / self.width]).fold(None, |all, [x, y]| {
            let [left, top, right, bottom] = all.unwrap_or([x, y, x, y]);
            Some([left.min(x), top.min(y), right.max(x), bottom.max(y)])
        })
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} × {}", self.width, self.height)
    }
}

/// The comparison of two renderings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The number of pages in the first file. If it is 0, nothing was compared.
    pub pages: usize,
    /// The first page that differs or that one of the files does not have.
    pub first_difference: Option<u32>,
}

/// Draws two files with poppler and compares all pixels of all pages.
#[must_use]
pub fn compare(before: &Path, after: &Path, password: Option<&str>) -> Comparison {
    let (before, after) = (render(before, password), render(after, password));
    let first_difference = different(&before, &after).next();
    Comparison { pages: before.len(), first_difference }
}

/// The numbers of the pages that differ or that one of the files does not have.
#[must_use]
pub fn differences(before: &Path, after: &Path, password: Option<&str>) -> Vec<u32> {
    different(&render(before, password), &render(after, password)).collect()
}

fn different(
    before: &BTreeMap<u32, Vec<u8>>,
    after: &BTreeMap<u32, Vec<u8>>,
) -> impl Iterator<Item = u32> {
    let numbers: BTreeSet<u32> = before.keys().chain(after.keys()).copied().collect();
    numbers.into_iter().filter(|page| before.get(page) != after.get(page))
}

fn run<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> Output {
    Command::new(program)
        .args(args)
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}: tests/oracles/install.sh installs it"))
}
