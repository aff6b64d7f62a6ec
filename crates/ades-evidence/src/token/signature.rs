//! The signature of a token (RFC 3161, 2.4.2; RFC 5816), and the use of the certificate
//! that made it.

use ades_core::asn1::ber::Reader;
use ades_core::asn1::der::{OCTET_STRING, OID};
use ades_core::certificate::UsageCheck;
use ades_core::{Certificate, Digest, DigestAlgorithm, Oid, SignatureAlgorithm};

use super::Token;
use super::signed_data::{SignedData, TST_INFO};
use crate::certificate_use::is_for_time_stamps_alone;
use crate::cms::{Attribute, SignerInfo, attributes, signing_certificate, signing_certificate_v1};
use crate::verified::VerifiedValues;

/// content-type
const CONTENT_TYPE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 3];
/// message-digest
const MESSAGE_DIGEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 4];
/// signing-certificate (RFC 2634, 5.4)
const SIGNING_CERTIFICATE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, 12];
/// signing-certificate-v2 (RFC 5035, 3)
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, 47];
/// Maximum number of signers that are counted.
const MAX_SIGNERS: usize = 16;

/// A token and its signature. The path and the revocation of the signer's certificate are
/// for a judge.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenFacts {
    /// What the token says.
    pub token: Token,
    /// The certificate of the time-stamping service, if it was found.
    pub signer: Option<Certificate>,
    /// The signature algorithm, if it is supported.
    pub algorithm: Option<SignatureAlgorithm>,
    /// The digest algorithm over the content, if it is supported.
    pub digest_algorithm: Option<DigestAlgorithm>,
    /// Whether message-digest is the digest of the content. `None` if that could not be
    /// computed.
    pub digest_matches: Option<bool>,
    /// Whether the value verifies with the signer's certificate. `None` if that is not
    /// supported, or if the certificate is missing.
    pub value_verifies: Option<bool>,
    /// Further findings, in the order of the checks.
    pub problems: Vec<TokenProblem>,
    /// The certificates in the token, among which the signer's issuers may be.
    pub certificates: Vec<Certificate>,
}

impl TokenFacts {
    /// Whether the digest matches and the value verifies.
    #[must_use]
    pub fn is_intact(&self) -> Option<bool> {
        match (self.digest_matches, self.value_verifies) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }

    /// Whether the token can prove a time, if its imprint fits and its signer is trusted.
    #[must_use]
    pub fn is_sound(&self) -> Option<bool> {
        let wrong = self.problems.iter().any(|problem| !problem.is_undecided());
        match self.is_intact() {
            Some(false) => Some(false),
            _ if wrong => Some(false),
            Some(true) if self.problems.is_empty() => Some(true),
            _ => None,
        }
    }
}

/// A fault of the signature of a token, or of its signer's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenProblem {
    /// More or fewer than one signer: only the time-stamping service signs
    #[error("it has {found} signers instead of one")]
    NotOneSigner {
        /// The number of signers, counted up to a limit
        found: usize,
    },
    /// The SignerInfo is malformed
    #[error("its SignerInfo is malformed")]
    SignerMalformed,
    /// There are no signed attributes
    #[error("it has no signed attributes")]
    SignedAttributesMissing,
    /// A signed attribute that decides is malformed
    #[error("a signed attribute is malformed")]
    AttributeMalformed,
    /// A signed attribute that decides occurs twice, or has not one value
    #[error("a signed attribute occurs twice, or has other than one value")]
    AttributeRepeated,
    /// content-type is missing or not id-ct-TSTInfo
    #[error("its content-type is not that of a time-stamp")]
    ContentTypeMismatch,
    /// message-digest is missing
    #[error("its message-digest is missing")]
    MessageDigestMissing,
    /// Neither signing-certificate nor signing-certificate-v2 is there
    #[error("its signing-certificate is missing")]
    SigningCertificateMissing,
    /// The signer identifier and signing-certificate name different certificates
    #[error("its signing-certificate is not that of its signer")]
    SigningCertificateMismatch,
    /// The signer's certificate was not found
    #[error("the certificate of its signer was not found")]
    SignerCertificateMissing,
    /// A digest or signature algorithm, or the key, is not supported
    #[error("it uses an algorithm or a key that is not supported")]
    UnsupportedAlgorithm,
    /// A critical extension of TSTInfo that this version does not process
    #[error("its critical extension {0} is not supported")]
    CriticalExtension(Oid),
    /// The certificate's extKeyUsage is not critical and timeStamping alone (RFC 3161,
    /// 2.3)
    #[error("its signer's certificate is not for time-stamps alone")]
    ExtendedKeyUsage,
    /// The certificate's keyUsage has neither digitalSignature nor nonRepudiation
    #[error("its signer's certificate is not for signatures")]
    KeyUsage,
}

impl TokenProblem {
    /// Whether nothing is wrong with the token: this version does not support it, or the
    /// caller gave too little.
    #[must_use]
    pub const fn is_undecided(self) -> bool {
        matches!(
            self,
            Self::SignerCertificateMissing
                | Self::UnsupportedAlgorithm
                | Self::CriticalExtension(_)
        )
    }
}

/// Verifies the signature of a token. The signer's certificate is looked for in the token
/// and in `others`. `None` if the octets are not a token. Compare the imprint first
/// ([`Token::is_over`]): a token over other data proves nothing.
#[must_use]
pub fn verify(octets: &[u8], others: &[Certificate]) -> Option<TokenFacts> {
    verify_sharing(octets, others, &VerifiedValues::new())
}

/// As [`verify`], and remembers with others which signature values verify.
#[must_use]
pub fn verify_sharing(
    octets: &[u8],
    others: &[Certificate],
    verified: &VerifiedValues,
) -> Option<TokenFacts> {
    let signed_data = SignedData::read(octets)?;
    let token = Token::read_info(&signed_data.content)?;
    let mut facts = TokenFacts {
        token,
        signer: None,
        algorithm: None,
        digest_algorithm: None,
        digest_matches: None,
        value_verifies: None,
        problems: Vec::new(),
        certificates: signed_data.certificates(),
    };
    if let Some(critical) = facts.token.critical_extension {
        facts.add(TokenProblem::CriticalExtension(critical));
    }
    let signers = signed_data.signers.and_then(|all| all.all(MAX_SIGNERS).ok());
    let signers = signers.unwrap_or_default();
    if signers.len() != 1 {
        facts.add(TokenProblem::NotOneSigner { found: signers.len() });
    }
    let Some(first) = signers.first() else { return Some(facts) };
    match SignerInfo::read(*first) {
        Ok(signer) => facts.check(&signer, &signed_data.content, others, verified),
        Err(_) => facts.add(TokenProblem::SignerMalformed),
    }
    Some(facts)
}

impl TokenFacts {
    fn add(&mut self, problem: TokenProblem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn check(
        &mut self,
        signer: &SignerInfo<'_>,
        content: &[u8],
        others: &[Certificate],
        verified: &VerifiedValues,
    ) {
        self.digest_algorithm = signer.digest_algorithm().ok();
        self.algorithm = signer.algorithm().ok();
        if self.digest_algorithm.is_none() || self.algorithm.is_none() {
            self.add(TokenProblem::UnsupportedAlgorithm);
        }
        let signed = match signer.to_be_signed() {
            Some(Ok(signed)) => signed.der,
            Some(Err(_)) => return self.add(TokenProblem::AttributeMalformed),
            None => return self.add(TokenProblem::SignedAttributesMissing),
        };
        let set = Reader::new(&signed, 0).try_next().ok().flatten();
        let Some(all) = set.and_then(|set| attributes(set).ok()) else {
            return self.add(TokenProblem::AttributeMalformed);
        };
        let attributes = Attributes::read(&all, &mut |problem| self.add(problem));
        if attributes.content_type.as_deref() != Some(TST_INFO) {
            self.add(TokenProblem::ContentTypeMismatch);
        }
        match (&attributes.message_digest, self.digest_algorithm) {
            (None, _) => self.add(TokenProblem::MessageDigestMissing),
            (Some(digest), Some(algorithm)) => {
                let matches = Digest::of(algorithm, content).value() == digest;
                self.digest_matches = Some(matches);
            }
            _ => {}
        }
        self.find_signer(signer, &attributes, others);
        if let Some((certificate, algorithm)) = self.signer.clone().zip(self.algorithm) {
            self.check_use(&certificate);
            self.value_verifies =
                verified.verify(&certificate, algorithm, &signed, signer.signature);
            if self.value_verifies.is_none() {
                self.add(TokenProblem::UnsupportedAlgorithm);
            }
        }
    }

    /// The certificate that signing-certificate names or, if that names none, the one of
    /// the signer identifier.
    fn find_signer(
        &mut self,
        signer: &SignerInfo<'_>,
        attributes: &Attributes,
        others: &[Certificate],
    ) {
        let all = || self.certificates.iter().chain(others);
        let digest = attributes.signing_certificate.as_ref();
        let named = digest.and_then(|digest| {
            all().find(|one| one.digest(digest.algorithm()) == *digest).cloned()
        });
        let identified = || all().find(|one| signer.sid.names(one)).cloned();
        let found = named.or_else(identified);
        let differs = found.as_ref().is_some_and(|found| {
            let other = digest.is_some_and(|digest| found.digest(digest.algorithm()) != *digest);
            other || !signer.sid.names(found)
        });
        if !attributes.has_signing_certificate {
            self.add(TokenProblem::SigningCertificateMissing);
        } else if digest.is_none() {
            self.add(TokenProblem::UnsupportedAlgorithm);
        }
        if differs {
            self.add(TokenProblem::SigningCertificateMismatch);
        }
        if found.is_none() {
            self.add(TokenProblem::SignerCertificateMissing);
        }
        self.signer = found;
    }

    fn check_use(&mut self, certificate: &Certificate) {
        if !is_for_time_stamps_alone(certificate) {
            self.add(TokenProblem::ExtendedKeyUsage);
        }
        if !certificate.allows(UsageCheck::Signature) {
            self.add(TokenProblem::KeyUsage);
        }
    }
}

/// The signed attributes that decide.
#[derive(Default)]
struct Attributes {
    content_type: Option<Vec<u8>>,
    message_digest: Option<Vec<u8>>,
    has_signing_certificate: bool,
    /// `None` if it is missing, or if its algorithm is not supported.
    signing_certificate: Option<Digest>,
}

impl Attributes {
    /// Reads attributes in DER. Version 2 of signing-certificate counts before version 1,
    /// whose digest is SHA-1.
    fn read(all: &[Attribute<'_>], problem: &mut dyn FnMut(TokenProblem)) -> Self {
        let mut found = Self::default();
        for kind in [CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2] {
            let mut of_kind = all.iter().filter(|attribute| attribute.kind == kind);
            let Some(first) = of_kind.next() else { continue };
            match first.only_value().filter(|_| of_kind.next().is_none()) {
                None => problem(TokenProblem::AttributeRepeated),
                Some(value) => {
                    if found.take(kind, &value).is_none() {
                        problem(TokenProblem::AttributeMalformed);
                    }
                }
            }
        }
        found
    }

    /// `None` if the value is malformed.
    fn take(&mut self, kind: &[u8], value: &ades_core::asn1::ber::Element<'_>) -> Option<()> {
        let content = |tag| (value.tag == tag).then(|| value.content.to_vec());
        match kind {
            CONTENT_TYPE => self.content_type = Some(content(OID)?),
            MESSAGE_DIGEST => self.message_digest = Some(content(OCTET_STRING)?),
            SIGNING_CERTIFICATE => {
                self.signing_certificate = signing_certificate_v1(value)?.digest;
                self.has_signing_certificate = true;
            }
            _ => {
                self.signing_certificate = signing_certificate(value)?.digest;
                self.has_signing_certificate = true;
            }
        }
        Some(())
    }
}
