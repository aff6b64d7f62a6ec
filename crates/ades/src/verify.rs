//! Verifies containers, and lists their signatures.

use std::fmt;
use std::sync::Arc;

use ::trusted_lists::TrustedList;
use ades_core::facts::RevocationForm;
use ades_core::{Certificate, Document};
use ades_evidence::VerifiedValues;
use ades_validation::{
    GivenData, Judge, Policy, Question, Revocation, TrustAnchor, ValidationTime,
};
use chrono::{DateTime, Utc};
use xades::c14n::Target;

use crate::armour::{self, Armour, Prefix};
use crate::detect::{DocumentKind, Format};
use crate::error::Error;
use crate::format;
use crate::options::{FormatOption, ReadingOptions};
use crate::report::{Contents, FormatReport, Report};
use crate::trusted_lists::TrustedLists;
use crate::verdict::LastMaterial;

/// The options of verifying and inspecting. `Debug` does not show secrets.
#[derive(Default)]
#[non_exhaustive]
pub struct VerifyOptions<'a> {
    trust: Vec<TrustAnchor>,
    time_stamping_trust: Option<Vec<TrustAnchor>>,
    lists: TrustedLists,
    given: GivenData,
    policy: Policy,
    pub(crate) originals: Vec<Original<'a>>,
    pub(crate) elements: Vec<Target>,
    pub(crate) reading: ReadingOptions,
    pub(crate) password: Option<&'a str>,
    pub(crate) envelope_content: Option<&'a [u8]>,
    /// Of a document that was extended since it was verified.
    pub(crate) beginning: Option<Arc<pades::DigestedBeginning>>,
    /// What the steps of an extension know of its XML document.
    pub(crate) known: Option<xades::KnownDocument>,
    /// The signature values that were verified with these options.
    pub(crate) verified: VerifiedValues,
    time: Option<ValidationTime>,
    integrity_only: bool,
}

/// A document outside the container.
pub(crate) struct Original<'a> {
    pub(crate) name: Option<String>,
    pub(crate) document: Document<'a>,
}

impl<'a> VerifyOptions<'a> {
    /// No trust anchors and no documents outside the container.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds trust anchors. Without any, no signature is passed.
    #[must_use]
    pub fn trust(mut self, trust: &[Certificate]) -> Self {
        self.trust.extend(trust.iter().cloned().map(TrustAnchor::new));
        self
    }

    /// Adds a trust anchor that is trusted until a time.
    #[must_use]
    pub fn anchor(mut self, anchor: TrustAnchor) -> Self {
        self.trust.push(anchor);
        self
    }

    /// Adds trust anchors of time-stamping authorities. With any, those of signers do not count
    /// for time-stamps; without any, they do.
    #[must_use]
    pub fn time_stamping_trust(mut self, trust: &[Certificate]) -> Self {
        let own = self.time_stamping_trust.get_or_insert_default();
        own.extend(trust.iter().cloned().map(TrustAnchor::new));
        self
    }

    /// Adds the services of a trusted list as trust anchors: those that issue certificates for
    /// signers, those that make time-stamps for time-stamping authorities. Time-stamping
    /// authorities can still be trusted by the other anchors, too.
    #[must_use]
    pub fn trusted_list(mut self, list: Arc<TrustedList>) -> Self {
        self.lists.add(list);
        self
    }

    /// Adds a CRL beside those in the container, in DER.
    #[must_use]
    pub fn crl(mut self, octets: Vec<u8>) -> Self {
        self.given.add_revocation(RevocationForm::Crl, octets);
        self
    }

    /// Adds an OCSP response beside those in the container, in DER.
    #[must_use]
    pub fn ocsp(mut self, octets: Vec<u8>) -> Self {
        self.given.add_revocation(RevocationForm::OcspResponse, octets);
        self
    }

    /// Adds certificates and revocation data beside those in the container: for example what was
    /// fetched for the needs of an earlier [`Report::missing`].
    #[must_use]
    pub fn given(mut self, given: GivenData) -> Self {
        self.given.extend(given);
        self
    }

    /// Adds a certificate that may be an issuer's. It is not trusted.
    #[must_use]
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.given.add_certificate(certificate);
        self
    }

    /// Demands what a policy says, instead of the default.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Adds a document outside the container. CAdES: the document of a detached container, or the
    /// expected content of an enveloping one. XAdES: a document that the signature refers to by
    /// its file name; a single document may have any name. For PAdES, [`verify`] returns
    /// [`Error::OptionNotForFormat`].
    #[must_use]
    pub fn original(mut self, name: Option<String>, document: Document<'a>) -> Self {
        self.originals.push(Original { name, document });
        self
    }

    /// XAdES only: adds an element, or all elements of a name, that must be signed. Without any,
    /// the root element must be signed.
    #[must_use]
    pub fn element(mut self, element: Target) -> Self {
        self.elements.push(element);
        self
    }

    /// XAdES only: sets the options of reading XML.
    #[must_use]
    pub fn reading(mut self, reading: ReadingOptions) -> Self {
        self.reading = reading;
        self
    }

    /// PAdES only: sets the password of an encrypted PDF, the user's or the owner's.
    #[must_use]
    pub const fn password(mut self, password: &'a str) -> Self {
        self.password = Some(password);
        self
    }

    /// PAdES only: sets the content of one of the envelopes of a PDF that is encrypted for
    /// recipients; see [`pades::envelopes`](crate::formats::pades::envelopes).
    #[must_use]
    pub const fn envelope_content(mut self, content: &'a [u8]) -> Self {
        self.envelope_content = Some(content);
        self
    }

    /// Judges certificates and algorithms at another time than now.
    #[must_use]
    pub const fn time(mut self, time: ValidationTime) -> Self {
        self.time = Some(time);
        self
    }

    /// Asks about the integrity alone. Nobody is judged, so no signature is passed:
    /// [`Report::integrity`] has the answer.
    #[must_use]
    pub const fn integrity_only(mut self) -> Self {
        self.integrity_only = true;
        self
    }

    /// Leaves out whether certificates are revoked.
    #[must_use]
    pub const fn without_revocation(mut self) -> Self {
        self.policy.revocation = Revocation::LeftOut;
        self
    }

    /// The same options for one more reading, as of now: what is outside the document is read
    /// again from its start.
    pub(crate) fn again(&mut self) -> Result<VerifyOptions<'_>, Error> {
        let mut originals = Vec::new();
        for Original { name, document } in &mut self.originals {
            let document = Document::seekable(document.random_access()?);
            originals.push(Original { name: name.clone(), document });
        }
        Ok(VerifyOptions {
            trust: self.trust.clone(),
            time_stamping_trust: self.time_stamping_trust.clone(),
            lists: self.lists.clone(),
            given: self.given.clone(),
            policy: self.policy.clone(),
            originals,
            elements: self.elements.clone(),
            reading: self.reading.clone(),
            password: self.password,
            envelope_content: self.envelope_content,
            beginning: None,
            known: self.known.clone(),
            verified: self.verified.clone(),
            time: None,
            integrity_only: false,
        })
    }

    /// Whether a trust anchor for signers is named.
    pub(crate) fn has_trust(&self) -> bool {
        !self.trust.is_empty() || !self.lists.is_empty()
    }

    /// The trust anchors, and what is given beside the document.
    pub(crate) fn trust_and_given(&mut self) -> (&mut Vec<TrustAnchor>, &mut GivenData) {
        (&mut self.trust, &mut self.given)
    }

    pub(crate) const fn has_originals(&self) -> bool {
        !self.originals.is_empty()
    }

    pub(crate) fn judge(&mut self, now: DateTime<Utc>) -> Judge {
        let question = match self.integrity_only {
            true => Question::Integrity,
            false => Question::Validity,
        };
        let time = self.time.unwrap_or(ValidationTime::At(now));
        let policy = std::mem::take(&mut self.policy);
        let mut trust = std::mem::take(&mut self.trust);
        let mut time_stamping_trust = self.time_stamping_trust.take();
        if !self.lists.is_empty() {
            let own = time_stamping_trust.get_or_insert_with(|| trust.clone());
            own.extend(self.lists.time_stamping_anchors(now));
            trust.extend(self.lists.signer_anchors(now));
        }
        let judge = Judge::new(trust, now).sharing(&self.verified);
        let judge = judge.question(question).policy(policy).time(time);
        match time_stamping_trust {
            Some(own) => judge.time_stamping_anchors(own),
            None => judge,
        }
    }

    /// Checks that no option is set that signatures of this format do not have.
    pub(crate) fn check(&self, format: Format) -> Result<(), Error> {
        let set = [
            (FormatOption::Original, !self.originals.is_empty()),
            (FormatOption::SeveralOriginals, self.originals.len() > 1),
            (FormatOption::Element, !self.elements.is_empty()),
            (FormatOption::Reading, !self.reading.is_default()),
            (FormatOption::Password, self.password.is_some() || self.envelope_content.is_some()),
        ];
        for (option, set) in set {
            if set && !option.formats().contains(&format) {
                return Err(Error::OptionNotForFormat { option, format });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for VerifyOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyOptions")
            .field("trust", &self.trust.len())
            .field("originals", &self.originals.len())
            .field("elements", &self.elements)
            .field("reading", &self.reading)
            .finish_non_exhaustive()
    }
}

/// Verifies and judges every signature of a document or container (EN 319 102-1). `now` is the
/// current time. The format is that of its content: a PDF is PAdES, XML or HTML is XAdES, anything
/// else is CAdES.
///
/// # Errors
/// [`Error::OptionNotForFormat`]; the format's own errors if the document cannot be read. A
/// signature that is not passed is not an error: the report says why.
pub fn verify(
    document: &mut Document<'_>,
    mut options: VerifyOptions<'_>,
    now: DateTime<Utc>,
) -> Result<Report, Error> {
    let mut judge = options.judge(now);
    let given = std::mem::take(&mut options.given);
    let lists = std::mem::take(&mut options.lists);
    let integrity_only = options.integrity_only;
    let time = match options.time {
        Some(ValidationTime::Claimed) => None,
        _ => Some(judge.time_for(None)),
    };
    let (report, armour) = read(document, options)?;
    let mut last = LastMaterial::new(&given, &judge);
    Ok(Report::new(report, armour, (&mut judge, &mut last), time, integrity_only, (&lists, now)))
}

/// Lists the signatures of a document or container, without verdicts.
///
/// # Errors
/// Those of [`verify`].
pub fn inspect(document: &mut Document<'_>, options: VerifyOptions<'_>) -> Result<Contents, Error> {
    read(document, options).map(|(report, _)| Contents(report))
}

/// The report of the document's format. For a CMS container, how it was wrapped.
pub(crate) fn read(
    document: &mut Document<'_>,
    mut options: VerifyOptions<'_>,
) -> Result<(FormatReport, Option<Armour>), Error> {
    let report = match DocumentKind::of(document)? {
        DocumentKind::Pdf => FormatReport::Pades(format::pades::verify(document, options)?),
        DocumentKind::Xml | DocumentKind::Html => {
            FormatReport::Xades(format::xades::verify(document, options)?)
        }
        DocumentKind::Other => {
            let (report, armour) = read_cms(document, &mut options)?;
            return Ok((FormatReport::Cades(report), armour));
        }
    };
    Ok((report, None))
}

fn read_cms(
    document: &mut Document<'_>,
    options: &mut VerifyOptions<'_>,
) -> Result<(cades::report::Report, Option<Armour>), Error> {
    if let Some((armour, octets)) = armour::remove(document)? {
        let report = format::cades::verify(&mut Document::from_bytes(&octets), options)?;
        return Ok((report, Some(armour)));
    }
    match format::cades::verify(document, options) {
        Err(Error::Cades(cades::Error::TrailingOctets { offset }))
            if armour::is_padding(document, offset)? =>
        {
            let source = Prefix::new(document.random_access()?, offset);
            let report = format::cades::verify(&mut Document::seekable(source), options)?;
            Ok((report, Some(Armour::Padded)))
        }
        other => Ok((other?, None)),
    }
}
