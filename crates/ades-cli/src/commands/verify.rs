//! `ades verify`: prints the answer for each signature, and why.

mod report_xml;
mod trusted_lists;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ades::formats::ades_core::facts::RevocationForm;
use ades::formats::ades_evidence::needs::Need;
use ades::formats::ades_validation::Reason;
use ades::{
    Certificate, Document, GivenData, Indication, NextStep, Report, TrustedList, ValidationTime,
    Verdict, VerifyOptions,
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::args::{EvidenceArgs, RevocationSource, VerifyArgs};
use crate::evidence::{self, EvidenceSource, NotFetched};
use crate::exit::{BUG, DONE, Failure, NO, UNKNOWN};
use crate::input;
use crate::output::{self, Messages, print_always};
use crate::path_name;
use crate::unlock::Unlock;

/// Maximum number of times that a container is judged again with what was fetched. Each time
/// brings an issuer, its revocation data or another address nearer.
const MAX_ROUNDS: usize = 24;
/// Maximum length of an OCSP response, and of a CRL in PEM.
const MAX_REVOCATION_LEN: u64 = 64 * 1024 * 1024;

pub(crate) fn run(args: VerifyArgs, messages: &Messages) -> Result<u8, Failure> {
    let is_limited = !args.fetch.fetch_allow.is_empty() || args.fetch.fetch_proxy.is_some();
    if is_limited && args.revocation != RevocationSource::Fetch {
        return Err(Failure::usage(
            "--fetch-allow, --fetch-proxy: only --revocation fetch asks anybody",
        ));
    }
    let given = args.evidence.revocation();
    if args.revocation == RevocationSource::None && given.clone().next().is_some() {
        return Err(Failure::usage("--crl, --ocsp: --revocation none leaves revocation out"));
    }
    report_xml::check(&args)?;
    let standard = args.containers.iter().chain(&args.original).chain(given);
    let standard = standard.chain(&args.trusted_list);
    if standard.filter(|path| path_name::is_standard(path)).count() > 1 {
        return Err(Failure::usage("standard input (-) can be read only once"));
    }
    let trusted = Trusted {
        trusted_lists: trusted_lists::read(&args)?,
        ..Trusted::read(&args.trust, &args.evidence)?
    };
    let unlock = args.unlock.read()?;
    let mut network = match args.revocation {
        RevocationSource::Fetch => Some(Network::new(&args)?),
        _ => None,
    };
    let mut worst = DONE;
    for container in &args.containers {
        let given = Given { trusted: &trusted, unlock: &unlock };
        let status = match verify_one(&args, container, &given, network.as_mut(), messages) {
            Ok(status) => status,
            Err(failure) if args.containers.len() > 1 => {
                print_always(format_args!("ades: {failure}"));
                failure.status
            }
            Err(failure) => return Err(failure),
        };
        worst = worse(worst, status);
    }
    Ok(worst)
}

/// What the caller gives beside the containers.
pub(crate) struct Trusted {
    signers: Vec<Certificate>,
    time_stamping: Vec<Certificate>,
    trusted_lists: Vec<Arc<TrustedList>>,
    given: GivenData,
}

impl Trusted {
    /// Reads it from files.
    pub(crate) fn read(signers: &[PathBuf], evidence: &EvidenceArgs) -> Result<Self, Failure> {
        Ok(Self {
            signers: trust_anchors(signers)?,
            time_stamping: trust_anchors(&evidence.tsa_trust)?,
            trusted_lists: Vec::new(),
            given: revocation_data(&evidence.crl, &evidence.ocsp)?,
        })
    }

    pub(crate) fn options(&self) -> VerifyOptions<'_> {
        let mut options = VerifyOptions::new().trust(&self.signers);
        if !self.time_stamping.is_empty() {
            options = options.time_stamping_trust(&self.time_stamping);
        }
        for list in &self.trusted_lists {
            options = options.trusted_list(Arc::clone(list));
        }
        options.given(self.given.clone())
    }
}

/// The worse of two exit statuses: total-failed, then a failure of the program, then
/// indeterminate.
fn worse(one: u8, other: u8) -> u8 {
    let rank = |status: &u8| match *status {
        DONE => 0,
        UNKNOWN => 1,
        NO => 3,
        _ => 2,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

/// What the caller gives for every container.
struct Given<'a> {
    trusted: &'a Trusted,
    unlock: &'a Unlock,
}

/// The network, for --revocation fetch.
struct Network {
    runtime: tokio::runtime::Runtime,
    source: EvidenceSource,
}

impl Network {
    fn new(args: &VerifyArgs) -> Result<Self, Failure> {
        let source = EvidenceSource::new(&args.fetch.to_rules())?;
        Ok(Self { runtime: super::runtime()?, source })
    }

    /// Asks for what is missing. Returns whether anything new came back.
    fn ask(&mut self, missing: &[Need], time: DateTime<Utc>) -> bool {
        !missing.is_empty() && self.runtime.block_on(self.source.answer(missing, time))
    }
}

fn verify_one(
    args: &VerifyArgs,
    path: &Path,
    given: &Given<'_>,
    mut network: Option<&mut Network>,
    messages: &Messages,
) -> Result<u8, Failure> {
    let mut container = input::document(path)?;
    let mut originals = Originals::open(&args.original)?;
    let envelope_content = given.unlock.envelope_content(&mut container, path)?;
    let (mut rounds, mut needs) = (0, BTreeSet::new());
    let mut report = loop {
        let mut options = given.trusted.options().reading(args.reading.clone().into_options());
        if let Some(password) = given.unlock.password() {
            options = options.password(password);
        }
        if let Some(content) = &envelope_content {
            options = options.envelope_content(content);
        }
        options = originals.add_to(asked(args, options))?;
        if let Some(network) = &network {
            options = options.given(network.source.given());
        }
        let now = SystemTime::now().into();
        let report = ades::verify(&mut container, options, now)
            .map_err(|e| Failure::from(e).about(path_name::of_input(path)))?;
        rounds += 1;
        let time = report.validation_time.unwrap_or(now);
        let missing = report.missing();
        needs.extend(missing.iter().map(Need::id));
        let is_new = rounds < MAX_ROUNDS
            && network.as_mut().is_some_and(|network| network.ask(&missing, time));
        if !is_new {
            break report;
        }
    };
    if report.signatures.is_empty() {
        return Err(Failure::input(format!("{}: has no signature", path_name::of_input(path))));
    }
    let not_fetched = network.map(|network| network.source.not_fetched(&needs));
    let not_fetched = not_fetched.unwrap_or_default();
    remark(&mut report.signatures, &not_fetched);
    report_xml::write(args, path, &report)?;
    print(args, path, &report, &not_fetched)?;
    advise(args, &report, messages);
    Ok(status(&report))
}

/// The question that the arguments ask.
fn asked<'a>(args: &VerifyArgs, mut options: VerifyOptions<'a>) -> VerifyOptions<'a> {
    if let Some(time) = args.at {
        options = options.time(time);
    }
    if args.integrity {
        options = options.integrity_only();
    }
    if args.revocation == RevocationSource::None {
        options = options.without_revocation();
    }
    for element in &args.element {
        options = options.element(element.clone());
    }
    options
}

/// The documents outside the container, opened once: standard input has no second time.
pub(crate) struct Originals(Vec<(Option<String>, PathBuf, File)>);

impl Originals {
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        let open = |path: &PathBuf| {
            let name = (!path_name::is_standard(path)).then(|| original_name(path));
            Ok((name, path.clone(), input::open(path)?))
        };
        paths.iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn add_to<'a>(
        &'a mut self,
        mut options: VerifyOptions<'a>,
    ) -> Result<VerifyOptions<'a>, Failure> {
        for (name, path, file) in &mut self.0 {
            file.rewind().map_err(|e| Failure::file(path, &e))?;
            let file = file.try_clone().map_err(|e| Failure::file(path, &e))?;
            let document = Document::seekable(input::watched(file, path));
            options = options.original(name.clone(), document);
        }
        Ok(options)
    }
}

/// Names the addresses that gave nothing, at the signatures that still need it.
fn remark(verdicts: &mut [Verdict], not_fetched: &[NotFetched]) {
    for verdict in verdicts {
        let missing: Vec<_> = verdict.judgement.missing.iter().map(Need::id).collect();
        let own = not_fetched.iter().filter(|one| missing.contains(&one.need));
        let remarks = own.map(|one| Reason::new("not-fetched", one.to_string()));
        verdict.judgement.remarks.extend(remarks);
        remark(&mut verdict.countersignatures, not_fetched);
    }
}

/// The name by which a signature may refer to an original: its path, because two originals may
/// have the same file name.
fn original_name(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        std::path::Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn status(report: &Report) -> u8 {
    match (report.conclusion(), report.integrity_only) {
        (Indication::TotalFailed, _) => NO,
        (_, true) => match report.integrity() {
            Some(true) => DONE,
            Some(false) => NO,
            None => UNKNOWN,
        },
        (Indication::TotalPassed, _) => DONE,
        _ => UNKNOWN,
    }
}

fn print(
    args: &VerifyArgs,
    path: &Path,
    report: &Report,
    not_fetched: &[NotFetched],
) -> Result<(), Failure> {
    if report_xml::replaces_output(args) {
        return Ok(());
    }
    if args.json {
        let mut line = to_json(report, path)?;
        if args.revocation == RevocationSource::Fetch
            && let Some(line) = line.as_object_mut()
        {
            let all = not_fetched.iter();
            let all = all.map(|one| json!({ "url": one.url, "reason": one.reason }));
            line.insert("not_fetched".to_owned(), all.collect());
        }
        return output::print(format_args!("{line}\n"));
    }
    let name = match args.containers.len() {
        1 => String::new(),
        _ => format!("{}: ", ades::text::for_terminal(&path_name::of_input(path))),
    };
    let answer = match (report.conclusion(), report.integrity_only) {
        (Indication::TotalFailed, _) => Indication::TotalFailed.to_string(),
        (_, true) => match report.integrity() {
            Some(true) => "intact; nobody was judged".to_owned(),
            Some(false) => "not intact".to_owned(),
            None => "not decided whether intact".to_owned(),
        },
        (answer, false) => answer.to_string(),
    };
    // A failure that another address made up for does not concern a signature.
    let missing: BTreeSet<_> = report.missing().iter().map(Need::id).collect();
    let others = not_fetched.iter().filter(|one| !missing.contains(&one.need));
    let others: String = others
        .map(|one| format!("remark: {}\n", ades::text::for_terminal(&one.to_string())))
        .collect();
    output::print(format_args!("{report}{others}{name}{answer}\n"))
}

/// Says what would help a signature that is not passed.
fn advise(args: &VerifyArgs, report: &Report, messages: &Messages) {
    if args.integrity {
        messages.print("only the integrity was asked about: nobody was judged");
    }
    if args.revocation == RevocationSource::None && !args.integrity {
        messages.print("whether certificates are revoked was left out (--revocation none)");
    }
    if args.at == Some(ValidationTime::Claimed) {
        messages.print("each signer was believed about the time (--at claimed)");
    }
    for step in report.next_steps() {
        match step {
            NextStep::NameTrustAnchors => messages.print(
                "nobody was judged: name the trust anchors with --trust or --trusted-list, or ask \
                 for the integrity alone with --integrity",
            ),
            NextStep::GiveDocument if args.original.is_empty() && report.is_detached() => {
                messages.print("the container is detached: name its document with --original");
            }
            NextStep::GiveDocument => messages
                .print("a signed document was not given or cannot be read: see the problems above"),
            NextStep::NameTimeStampingAnchors => messages.print(
                "a time-stamp is of an authority that is not trusted: --tsa-trust names trust \
                 anchors for time-stamps",
            ),
            NextStep::GiveRevocationData if args.revocation == RevocationSource::Fetch => {
                messages.print(
                    "revocation data are missing, and the services that the certificates name did \
                     not give them: see the remarks above; --crl FILE or --ocsp FILE gives them",
                );
            }
            NextStep::GiveRevocationData => messages.print(
                "revocation data are missing, see the problems above: --revocation fetch asks the \
                 services that the certificates name; --crl FILE or --ocsp FILE gives them; \
                 --revocation none leaves revocation out",
            ),
            NextStep::TryLater => messages.print(
                "try again when newer revocation data are there: --crl FILE or --ocsp FILE gives \
                 them",
            ),
            NextStep::ChooseTime => messages.print(
                "--at <TIME> judges at a time at which the signature is known to exist; --at \
                 claimed believes the signer",
            ),
            _ => {}
        }
    }
}

/// A report with the file's name.
pub(super) fn to_json(report: &impl serde::Serialize, file: &Path) -> Result<Value, Failure> {
    let mut line = serde_json::to_value(report).map_err(|e| Failure::new(BUG, e.to_string()))?;
    if let Some(line) = line.as_object_mut() {
        line.insert("file".to_owned(), json!(file.display().to_string()));
    }
    Ok(line)
}

fn trust_anchors(paths: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    let mut anchors = Vec::new();
    for path in paths {
        let certificates = ades::chain::anchors_from_pem(&input::read_pem(path)?)
            .map_err(|e| Failure::from(e).about(path.display()))?;
        if certificates.is_empty() {
            return Err(Failure::input(format!(
                "{}: has no certificate; PEM is needed: -----BEGIN CERTIFICATE-----",
                path.display()
            )));
        }
        anchors.extend(certificates);
    }
    Ok(anchors)
}

/// CRLs and OCSP responses, each of which may be in PEM. A CRL in DER may be too long to be held.
fn revocation_data(lists: &[PathBuf], responses: &[PathBuf]) -> Result<GivenData, Failure> {
    let mut given = GivenData::new();
    for path in lists {
        let mut file = input::open(path)?;
        let failed = |e: &std::io::Error| Failure::file(path, e);
        let mut first = Vec::new();
        Read::take(&file, 1).read_to_end(&mut first).map_err(|e| failed(&e))?;
        file.rewind().map_err(|e| failed(&e))?;
        if first == b"\x30" {
            given.add_stored_crl(evidence::stored_crl(file));
        } else {
            let der = input::der_of(path, file, MAX_REVOCATION_LEN, "CRL")?;
            given.add_revocation(RevocationForm::Crl, der);
        }
    }
    for path in responses {
        let der = input::read_der(path, MAX_REVOCATION_LEN, "OCSP response")?;
        given.add_revocation(RevocationForm::OcspResponse, der);
    }
    Ok(given)
}
