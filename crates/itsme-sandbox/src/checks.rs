//! Checks requests against the documentation, and names the code for each
//! failure.

use base64ct::{Base64, Base64Url, Base64UrlUnpadded, Encoding};

use crate::config::{Config, DigestAlphabet};
use crate::discovery::Discovery;
use crate::redirect::{RedirectError, RegisteredUrls};
use crate::sessions::MAX_BATCH;
use crate::texts::Lang;
use crate::users::User;
use crate::wire::{DocHash, InDocs, Label, SignPolicy, present};

/// Maximum length of a description, in characters (documented since 2024).
pub(crate) const MAX_DESCRIPTION: usize = 255;
/// Maximum length of a role, in characters.
pub(crate) const MAX_ROLE: usize = 50;
/// The only digest algorithm of the service.
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// Why a request is refused: a documented code and an explanation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) code: &'static str,
    pub(crate) about: String,
}

impl Complaint {
    pub(crate) fn new(code: &'static str, about: impl Into<String>) -> Self {
        Self { code, about: about.into() }
    }
}

pub(crate) type Checked<T> = Result<T, Complaint>;

pub(crate) fn partner(
    config: &Config,
    partner_code: Option<&String>,
    service_code: Option<&String>,
) -> Checked<()> {
    let partner = present(partner_code)
        .ok_or_else(|| Complaint::new("MISSING_PARTNER_CODE", "partnerCode is missing"))?;
    let service = present(service_code)
        .ok_or_else(|| Complaint::new("MISSING_SERVICE_CODE", "serviceCode is missing"))?;
    if partner == config.partner_code && service == config.service_code {
        Ok(())
    } else {
        Err(Complaint::new("INVALID_REQUESTOR", "partnerCode or serviceCode is not registered"))
    }
}

/// Checks a redirect URL. `missing` is the code for a missing URL: the two
/// endpoints have different ones.
pub(crate) fn redirect(
    registered: &RegisteredUrls,
    redirect_url: Option<&String>,
    missing: &'static str,
) -> Checked<String> {
    let url =
        present(redirect_url).ok_or_else(|| Complaint::new(missing, "redirectUrl is missing"))?;
    registered.accept(url).map(|()| url.to_owned()).map_err(|error| match error {
        RedirectError::Invalid => {
            let about = "redirectUrl is not an https URL of at most 255 characters";
            Complaint::new("INVALID_URL", about)
        }
        RedirectError::Unauthorized => {
            Complaint::new("UNAUTHORIZED_URL", "redirectUrl is not registered")
        }
    })
}

pub(crate) fn lang(lang: Option<&String>) -> Checked<Lang> {
    present(lang)
        .and_then(Lang::from_code)
        .ok_or_else(|| Complaint::new("INVALID_LANG", "the language is not one of EN, FR, NL, DE"))
}

/// The user with this user code, if the user may sign. INVALID_REQUESTOR for an
/// unknown code is an assumption.
pub(crate) fn user(config: &Config, user_code: &str) -> Checked<User> {
    match User::from_user_code(user_code, &config.partner_code) {
        Some(User::Blocked) => Err(Complaint::new("NOT_ALLOWED_TO_SIGN", "the user may not sign")),
        Some(user) => Ok(user),
        None => Err(Complaint::new("INVALID_REQUESTOR", "no user of this partner has this code")),
    }
}

pub(crate) fn documents(
    config: &Config,
    in_docs: Option<&InDocs>,
) -> Checked<Vec<(String, [u8; 32])>> {
    let hashes = in_docs.and_then(|docs| docs.doc_hash.as_deref()).unwrap_or_default();
    if hashes.is_empty() {
        return Err(Complaint::new("NO_HASH_PROVIDED", "inDocs.docHash is missing or empty"));
    }
    if hashes.len() > 1 && !config.batch {
        let about = "the contract has no batch option";
        return Err(Complaint::new("ONLY_SINGLE_HASH_SUPPORTED", about));
    }
    if hashes.len() > MAX_BATCH {
        let about = format!("docHash has {} entries, more than {MAX_BATCH}", hashes.len());
        return Err(Complaint::new("BATCH_TOO_LARGE", about));
    }
    let mut documents: Vec<(String, [u8; 32])> = Vec::new();
    for (at, hash) in hashes.iter().enumerate() {
        let (id, digest) = document(config.digests, at, hash)?;
        if documents.iter().any(|(known, _)| *known == id) {
            let about = format!("docHash[{at}].id repeats an earlier one");
            return Err(Complaint::new("INVALID_DIGEST_INFO", about));
        }
        documents.push((id, digest));
    }
    Ok(documents)
}

fn document(alphabet: DigestAlphabet, at: usize, hash: &DocHash) -> Checked<(String, [u8; 32])> {
    let invalid =
        |what: &str| Complaint::new("INVALID_DIGEST_INFO", format!("docHash[{at}]{what}"));
    let info = match hash.di.as_deref().unwrap_or_default() {
        [] => {
            let about = format!("docHash[{at}].di is missing or empty");
            return Err(Complaint::new("NO_DIGEST_INFO_PROVIDED", about));
        }
        [info] => info,
        _ => {
            let about = format!("docHash[{at}].di has more than one element");
            return Err(Complaint::new("ONLY_SINGLE_DIGEST_INFO_SUPPORTED", about));
        }
    };
    let id = present(hash.id.as_ref()).ok_or_else(|| invalid(".id is missing"))?;
    if present(info.alg.as_ref()) != Some(SHA256) {
        return Err(invalid(".di[0].alg is not SHA-256"));
    }
    let value = present(info.value.as_ref()).unwrap_or_default();
    let digest = digest(alphabet, value).ok_or_else(|| {
        invalid(match alphabet {
            DigestAlphabet::Any => ".di[0].value is not base64 or base64url of 32 octets",
            DigestAlphabet::Base64 => ".di[0].value is not base64 of 32 octets",
            DigestAlphabet::Base64Url => ".di[0].value is not base64url of 32 octets",
        })
    })?;
    Ok((id.to_owned(), digest))
}

fn digest(alphabet: DigestAlphabet, text: &str) -> Option<[u8; 32]> {
    let base64 = || Base64::decode_vec(text).ok();
    let base64url =
        || Base64Url::decode_vec(text).or_else(|_| Base64UrlUnpadded::decode_vec(text)).ok();
    let octets = match alphabet {
        DigestAlphabet::Any => base64().or_else(base64url),
        DigestAlphabet::Base64 => base64(),
        DigestAlphabet::Base64Url => base64url(),
    };
    octets.and_then(|octets| octets.try_into().ok())
}

/// The references of policy and commitment, if the discovery document lists
/// them.
pub(crate) fn policy(
    discovery: &Discovery,
    policy: Option<&SignPolicy>,
) -> Checked<(Option<String>, Option<String>)> {
    let Some(policy) = policy else { return Ok((None, None)) };
    let reference = present(policy.sign_policy_ref.as_ref())
        .ok_or_else(|| Complaint::new("INVALID_POLICY", "signPolicyRef is missing"))?;
    match discovery.is_enabled(reference) {
        None => return Err(Complaint::new("INVALID_POLICY", "signPolicyRef is unknown")),
        Some(false) => {
            return Err(Complaint::new("INVALID_POLICY_STATUS", "the policy is disabled"));
        }
        Some(true) => {}
    }
    let commitment = present(policy.commitment_type_ref.as_ref());
    if commitment.is_some_and(|reference| !discovery.has_commitment(reference)) {
        return Err(Complaint::new("INVALID_POLICY", "commitmentTypeRef is unknown"));
    }
    Ok((Some(reference.to_owned()), commitment.map(ToOwned::to_owned)))
}

/// The character set of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Charset {
    /// ISO 8859-1, without control characters.
    Latin1,
    /// ISO 8859-15, without control characters.
    Latin9,
}

impl Charset {
    const fn has(self, c: char) -> bool {
        match (self, c) {
            (Self::Latin9, '¤' | '¦' | '¨' | '´' | '¸' | '¼' | '½' | '¾') => false,
            (Self::Latin9, '€' | 'Š' | 'š' | 'Ž' | 'ž' | 'Œ' | 'œ' | 'Ÿ') => true,
            (_, c) => matches!(c, ' '..='~' | '\u{A0}'..='\u{FF}'),
        }
    }
}

/// Checks the length and the characters of a text, and that it exists in all
/// four languages. UNEXPECTED_ERROR for a text that cannot be shown is an
/// assumption: the documentation says only that the service aborts the flow.
pub(crate) fn labels(
    field: &str,
    labels: Option<&[Label]>,
    max: usize,
    charset: Charset,
) -> Checked<Vec<(Lang, String)>> {
    let mut found: Vec<(Lang, String)> = Vec::new();
    let Some(labels) = labels.filter(|labels| !labels.is_empty()) else { return Ok(found) };
    for label in labels {
        let lang = lang(label.lang.as_ref())?;
        let value = label.value.as_deref().unwrap_or_default();
        if value.chars().count() > max {
            let about = format!("{field} has more than {max} characters");
            return Err(Complaint::new("UNEXPECTED_ERROR", about));
        }
        if let Some(other) = value.chars().find(|&c| !charset.has(c)) {
            let about = format!("{field}: U+{:04X} is not in {charset:?}", u32::from(other));
            return Err(Complaint::new("UNEXPECTED_ERROR", about));
        }
        if found.iter().any(|(known, _)| *known == lang) || value.is_empty() {
            let about = format!("{field}: {} is empty or occurs twice", lang.code());
            return Err(Complaint::new("INCOMPLETE_REQUEST", about));
        }
        found.push((lang, value.to_owned()));
    }
    let missing = Lang::ALL.into_iter().find(|lang| found.iter().all(|(known, _)| known != lang));
    match missing {
        None => Ok(found),
        Some(lang) => {
            let about = format!("{field}: {} is missing", lang.code());
            Err(Complaint::new("INCOMPLETE_REQUEST", about))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(value: &str) -> Vec<Label> {
        let label = |lang: &Lang| Label {
            lang: Some(lang.code().to_owned()),
            value: Some(value.to_owned()),
        };
        Lang::ALL.iter().map(label).collect()
    }

    fn code(value: &str, max: usize, charset: Charset) -> Option<&'static str> {
        labels("text", Some(&all(value)), max, charset).err().map(|complaint| complaint.code)
    }

    #[test]
    fn description_and_role_have_different_character_sets() {
        assert_eq!(code("Gérant à 10 €", 255, Charset::Latin9), None);
        assert_eq!(code("Gérant à 10 €", 50, Charset::Latin1), Some("UNEXPECTED_ERROR"));
        assert_eq!(code("1¼", 255, Charset::Latin9), Some("UNEXPECTED_ERROR"));
        assert_eq!(code("1¼", 50, Charset::Latin1), None);
        for bad in ["L\u{2019}offre", "e\u{301}", "a\nb", "\u{1F600}", "\u{85}"] {
            assert_eq!(code(bad, 255, Charset::Latin9), Some("UNEXPECTED_ERROR"), "{bad:?}");
        }
    }

    #[test]
    fn digests_are_in_the_alphabets_of_the_configuration() {
        // 0xFB 0xFF…: each group of four characters is one of +/// and -___.
        let octets = [0xFB, 0xFF, 0xFF].repeat(11)[..32].to_vec();
        let alphabets = [DigestAlphabet::Any, DigestAlphabet::Base64, DigestAlphabet::Base64Url];
        for (text, accepted) in [
            (Base64::encode_string(&octets), [true, true, false]),
            (Base64Url::encode_string(&octets), [true, false, true]),
            (Base64UrlUnpadded::encode_string(&octets), [true, false, true]),
            // The same in both alphabets.
            (Base64::encode_string(&[0; 32]), [true, true, true]),
            (Base64UrlUnpadded::encode_string(&[0; 32]), [true, false, true]),
            // Not one alphabet, not 32 octets, not base64.
            (Base64::encode_string(&octets).replacen('/', "_", 1), [false; 3]),
            (Base64::encode_string(&octets[..31]), [false; 3]),
            (Base64UrlUnpadded::encode_string(&[0; 33]), [false; 3]),
            ("none".to_owned(), [false; 3]),
            (String::new(), [false; 3]),
        ] {
            let found = alphabets.map(|alphabet| digest(alphabet, &text).is_some());
            assert_eq!(found, accepted, "{text}");
        }
    }

    #[test]
    fn limits_count_characters_not_octets() {
        assert_eq!(code(&"é".repeat(255), 255, Charset::Latin9), None);
        assert_eq!(code(&"é".repeat(256), 255, Charset::Latin9), Some("UNEXPECTED_ERROR"));
    }

    #[test]
    fn a_text_needs_each_of_the_four_languages_once() {
        let mut three = all("x");
        three.pop();
        let missing = labels("text", Some(&three), 9, Charset::Latin1).unwrap_err();
        assert_eq!(
            (missing.code, missing.about.as_str()),
            ("INCOMPLETE_REQUEST", "text: DE is missing")
        );
        let mut twice = all("x");
        twice.extend(all("y"));
        assert!(labels("text", Some(&twice), 9, Charset::Latin1).is_err());
        assert_eq!(labels("text", None, 9, Charset::Latin1), Ok(Vec::new()));
    }
}
