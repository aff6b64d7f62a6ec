//! Every document of the corpus and one of each kind is signed twice, the second time
//! visibly, and given to all other validators. Our signatures are PAdES baseline B;
//! earlier signatures and the pages, except the visible signature, do not change.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::pdf::{
    self, Mutool, Pdfsig, Picture, Qpdf, differences, mutool_check, pdfsig, qpdf_check,
    same_or_better,
};
use ades_tests::oracle::pyhanko::PyHanko;
use ades_tests::oracle::verapdf::{self, Verdict};
use ades_tests::pdf::{Sample, samples};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign_pades};
use ades_tests::{corpora, fonts};
use pades::error::ForbiddenBy;
use pades::{Appearance, FieldLock, Rectangle, SignatureField, SignatureOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

const TIME: &str = "2026-09-21T14:13:20Z";
/// The rectangle of the second signature: left, bottom, width, height.
const STAMP: [f64; 4] = [10.0, 10.0, 40.0, 20.0];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pdf").join(name)
}

struct Case {
    name: String,
    octets: Vec<u8>,
    password: Option<String>,
}

impl Case {
    fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

/// The verdicts of other programs about a file.
struct Facts {
    path: PathBuf,
    pyhanko: Result<Value, String>,
    pdfsig: Result<Vec<Pdfsig>, String>,
    qpdf: Qpdf,
    /// The verdicts of the slower ones.
    more: Option<More>,
}

struct More {
    dss: Result<Value, String>,
    mutool: Mutool,
    verapdf: Result<Verdict, String>,
}

impl Facts {
    fn of(path: PathBuf, case: &Case, more: bool) -> Self {
        let root = path.with_file_name("root.pem");
        let request = json!({
            "file": path, "trust": [root], "time": TIME, "password": case.password,
        });
        Self {
            pyhanko: PyHanko::shared().try_validate(&request),
            pdfsig: pdfsig(&path, case.password()),
            qpdf: qpdf_check(&path, case.password()),
            more: more.then(|| More {
                dss: Dss::shared().try_validate_pdf(&request),
                mutool: mutool_check(&path, case.password()),
                verapdf: verapdf::validate(&path),
            }),
            path,
        }
    }

    /// Checks that the signatures in `ours` are valid and that everything else is
    /// unchanged.
    fn compare(
        &self,
        after: &Self,
        ours: &[&str],
        stamped: bool,
        password: Option<&str>,
    ) -> Result<(), String> {
        both(&self.pyhanko, &after.pyhanko, |was, is| pyhanko(was, is, ours))?;
        both(&self.pdfsig, &after.pdfsig, |was, is| poppler(was, is, ours))?;
        let (was, is) = (&self.qpdf, &after.qpdf);
        let crashed = was.verdict == pdf::Verdict::Crash;
        ensure(crashed || same_or_better(was, is), || format!("{was:?} then {is:?}"))?;
        let (Some(was), Some(is)) = (&self.more, &after.more) else { return Ok(()) };
        both(&was.dss, &is.dss, |was, is| dss(was, is, ours))?;
        let keeps = |v: &Result<Verdict, String>| v.as_ref().is_ok_and(Verdict::keeps_its_claims);
        ensure(!keeps(&was.verapdf) || keeps(&is.verapdf), || format!("{:?}", is.verapdf))?;
        // qpdf crashes on documents with streams in object streams, which ISO 32000-2,
        // 7.5.7 forbids and readers treat in different ways.
        if crashed {
            return Ok(());
        }
        let (m, n) = (&was.mutool, &is.mutool);
        let no_worse = n.readable >= m.readable && n.repaired <= m.repaired && n.pages == m.pages;
        ensure(no_worse, || format!("{m:?} then {n:?}"))?;
        let different = differences(&self.path, &after.path, password);
        ensure(matches!(different[..], [] | [1]), || format!("{different:?} look different"))?;
        let picture = |path| Picture::try_of(path, 1, 144, password);
        let (Some(was), Some(is)) = (picture(&self.path), picture(&after.path)) else {
            return ensure(different.is_empty(), || "is not drawn any more".to_owned());
        };
        // One pixel is half a point.
        let [left, bottom, width, height] = STAMP.map(|points| 2 * points as usize);
        let [top, low] = [bottom + height, bottom].map(|up| is.height - up);
        let changed = was.changed(&is);
        let within = |[x0, y0, x1, y1]: [usize; 4]| {
            left <= x0 && top <= y0 && x1 <= left + width && y1 <= low
        };
        ensure(changed.is_none_or(within), || format!("changed: {changed:?}"))?;
        ensure(changed.is_some() == stamped, || format!("to be seen: {stamped}"))
    }
}

fn ensure(so: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if so { Ok(()) } else { Err(otherwise()) }
}

/// A program that cannot read the document need not read the signed document.
fn both<T, E: Debug>(
    was: &Result<T, E>,
    is: &Result<T, E>,
    judge: impl FnOnce(&T, &T) -> Result<(), String>,
) -> Result<(), String> {
    match (was, is) {
        (Ok(was), Ok(is)) => judge(was, is),
        (Err(_), _) => Ok(()),
        (Ok(_), Err(error)) => Err(format!("is not read any more: {error:?}")),
    }
}

fn dss(was: &Value, is: &Value, ours: &[&str]) -> Result<(), String> {
    let (was, is) = (list(was, "signatures"), list(is, "signatures"));
    ensure(is.len() == was.len() + ours.len(), || format!("DSS finds {}", is.len()))?;
    for signature in &is {
        let field = &signature["pdf"]["fields"][0];
        let good = if ours.iter().any(|name| field == name) {
            signature["level"] == "PAdES-BASELINE-B"
                && signature["intact"] == true
                && signature["valid"] == true
                && signature["structure"] == json!([])
                && signature["trusted_chain"] == true
                && signature["pdf"]["byte_range_valid"] == true
                && signature["pdf"]["after"]["undefined"] == json!([])
                && signature["signing_time"] == TIME
        } else {
            let before = was.iter().find(|was| was["pdf"]["fields"][0] == *field);
            before.is_some_and(|was| {
                ["level", "intact", "valid"].iter().all(|key| was[*key] == signature[*key])
                    && was["pdf"]["after"]["undefined"] == signature["pdf"]["after"]["undefined"]
            })
        };
        ensure(good, || format!("DSS: {signature:#}"))?;
    }
    Ok(())
}

/// What pyHanko cannot compare between revisions because of the original document. It
/// also reports an error if the document has objects that refer to each other in
/// circles or cannot be read.
const ODD: [&str; 2] = ["Array contains direct objects", "Metadata does not look like XMP"];

fn pyhanko(was: &Value, is: &Value, ours: &[&str]) -> Result<(), String> {
    let (was, is) = (list(was, "signatures"), list(is, "signatures"));
    ensure(is.len() == was.len() + ours.len(), || format!("pyHanko finds {}", is.len()))?;
    for signature in &is {
        let level = &signature["modification_level"];
        let good = if let Some(at) = ours.iter().position(|name| signature["field"] == **name) {
            let last = at + 1 == ours.len();
            let coverage = if last { "ENTIRE_FILE" } else { "ENTIRE_REVISION" };
            // In encrypted documents it underrates the coverage of signatures.
            let changes: &[&str] = if last { &["NONE"] } else { &["FORM_FILLING", "LTA_UPDATES"] };
            let odd = signature["suspicious"].as_str().is_some_and(|s| ODD.contains(&s));
            signature["intact"] == true
                && signature["valid"] == true
                && signature["coverage"] == coverage
                && (odd || !signature["error"].is_null() || changes.iter().any(|c| level == c))
        } else {
            let before = was.iter().find(|was| was["field"] == signature["field"]);
            before.is_some_and(|was| {
                let same = |key: &str| was[key] == signature[key];
                let compared = !was["error"].is_null()
                    || same("docmdp_ok")
                        && (level != "OTHER" || was["modification_level"] == "OTHER");
                same("intact") && same("valid") && compared
            })
        };
        ensure(good, || format!("pyHanko: {signature:#}"))?;
    }
    Ok(())
}

fn poppler(was: &[Pdfsig], is: &[Pdfsig], ours: &[&str]) -> Result<(), String> {
    ensure(is.len() == was.len() + ours.len(), || format!("pdfsig finds {}", is.len()))?;
    for signature in is {
        let good = if let Some(at) = ours.iter().position(|name| signature.field == **name) {
            signature.valid && signature.total_document == (at + 1 == ours.len())
        } else {
            was.iter().any(|w| w.field == signature.field && w.verdict == signature.verdict)
        };
        ensure(good, || format!("{signature:?}"))?;
    }
    Ok(())
}

fn list(answer: &Value, name: &str) -> Vec<Value> {
    answer[name].as_array().cloned().unwrap_or_default()
}

/// Signs twice, and repairs a broken document. Returns the error if the document
/// cannot be signed.
fn judge(dir: &Path, case: &Case) -> Result<Option<String>, String> {
    let options = |name: &str| {
        let field = SignatureField::NewNamed(name.to_owned());
        let options = SignatureOptions::new().field(field);
        match &case.password {
            Some(password) => options.password(password),
            None => options,
        }
    };
    let write = |step: u32, octets: &[u8]| {
        let path = dir.join(format!("{}-{step}.pdf", case.name));
        std::fs::write(&path, octets).unwrap();
        path
    };
    let (first, second) = (Pki::shared().signer(Key::Rsa2048), Pki::shared().signer(Key::P256));
    let one =
        sign_pades(&case.octets, first, &parameters(), &options("Ours1")).or_else(|e| match e {
            pades::Error::BrokenCrossReference { .. } => {
                sign_pades(&case.octets, first, &parameters(), &options("Ours1").repair())
            }
            _ => Err(e),
        });
    let one = match one {
        Ok(one) => one,
        Err(error) => return Ok(Some(error.to_string())),
    };
    let [left, bottom, width, height] = STAMP;
    let looks =
        Appearance::at(1, Rectangle::new(left, bottom, width, height)).text("Ours", fonts::sans());
    let second = |options| sign_pades(&one, second, &parameters(), options);
    let invisible = options("Ours2");
    let (two, stamped) = match second(&invisible.clone().visible(looks)) {
        Ok(two) => (two, true),
        Err(pades::Error::Forbidden { why: ForbiddenBy::CertificationOfAppearance }) => {
            (second(&invisible).map_err(|e| e.to_string())?, false)
        }
        Err(error) => return Err(error.to_string()),
    };
    ensure(one.starts_with(&case.octets), || "an octet has changed".to_owned())?;
    ensure(two.starts_with(&one), || "an octet has changed".to_owned())?;
    let before = Facts::of(write(0, &case.octets), case, true);
    let once = Facts::of(write(1, &one), case, false);
    before.compare(&once, &["Ours1"], false, case.password())?;
    let twice = Facts::of(write(2, &two), case, true);
    before.compare(&twice, &["Ours1", "Ours2"], stamped, case.password())?;
    Ok(None)
}

/// Runs all cases on every core; returns the errors of refused documents by name.
fn judge_all(cases: Vec<Case>) -> BTreeMap<String, String> {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("root.pem"), Pki::shared().root_pem()).unwrap();
    let cases = Mutex::new(cases.into_iter());
    let (refused, failed) = (Mutex::new(BTreeMap::new()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let Some(case) = cases.lock().unwrap().next() else { return };
            match judge(dir.path(), &case) {
                Ok(None) => {}
                Ok(Some(why)) => drop(refused.lock().unwrap().insert(case.name, why)),
                Err(why) => failed.lock().unwrap().push(format!("{}: {why}", case.name)),
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
    refused.into_inner().unwrap()
}

/// `fixtures/pdf/refused.json` lists the documents of the corpus that are not signed,
/// and why. With `UPDATE_EXPECTED` set, the test rewrites it: look at the difference.
#[test]
fn the_corpus_is_signed_or_says_why_not() {
    let Some(corpus) = corpora::files("pdf") else { return };
    let passwords: BTreeMap<String, String> = read_json(&fixture("passwords.json"));
    let case = |file: &corpora::File| {
        let name = file.name.trim_end_matches(".pdf").to_owned();
        let password = passwords.get(&name).cloned();
        Case { name, octets: file.read(), password }
    };
    let cases: Vec<Case> = corpus.iter().map(case).collect();
    let count = cases.len();
    let refused = judge_all(cases);
    println!("{} of {count} signed twice", count - refused.len());
    let path = fixture("refused.json");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&refused).unwrap() + "\n").unwrap();
    }
    assert_eq!(refused, read_json(&path));
}

fn read_json(path: &Path) -> BTreeMap<String, String> {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every kind of sound document can be signed.
#[test]
fn one_of_each_kind_is_signed() {
    let cases = samples().into_iter().map(|Sample { name, octets, password, .. }| Case {
        name: name.to_owned(),
        octets,
        password: password.map(str::to_owned),
    });
    let refused = judge_all(cases.collect());
    assert_eq!(refused, BTreeMap::new());
}

/// pyHanko and EU DSS read the lock that a signature adds.
#[test]
fn other_validators_read_the_lock_of_a_signature() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("root.pem"), Pki::shared().root_pem()).unwrap();
    let document = ades_tests::pdf::Document {
        form: ades_tests::pdf::Form::Indirect,
        signature_fields: &["Empty"],
        ..Default::default()
    };
    let signer = Pki::shared().signer(Key::P256);
    for field in [SignatureField::New, SignatureField::Existing("Empty".to_owned())] {
        let options = SignatureOptions::new().field(field.clone());
        let options = options.lock(FieldLock::Include(vec!["Text".to_owned()]));
        let octets = sign_pades(&document.write(), signer, &parameters(), &options).unwrap();
        let path = dir.path().join("locked.pdf");
        std::fs::write(&path, &octets).unwrap();
        let case = Case { name: "locked".to_owned(), octets, password: None };
        let facts = Facts::of(path, &case, true);
        let pyhanko = &list(&facts.pyhanko.unwrap(), "signatures")[0];
        assert_eq!(pyhanko["locked"], json!(["Text"]), "{field:?}: {pyhanko}");
        assert_eq!(pyhanko["bottom_line"], true, "{field:?}: {pyhanko}");
        let dss = &list(&facts.more.unwrap().dss.unwrap(), "signatures")[0];
        assert_eq!(dss["pdf"]["field_mdp"], json!(["Text"]), "{field:?}: {dss}");
    }
}
