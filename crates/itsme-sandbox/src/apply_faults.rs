//! Applies faults to answers.

use aws_lc_rs::digest;
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::SandboxError;
use crate::faults::Fault;
use crate::pki::{Holder, Pki, Scheme};
use crate::users::User;
use crate::wire;

/// One `sigObj` element for each document, with a fault applied.
pub(crate) fn signature_objects(
    pki: &Pki,
    holder: Holder,
    documents: &[(String, [u8; 32])],
    fault: Option<&Fault>,
) -> Result<Vec<Value>, SandboxError> {
    let mut objects = Vec::with_capacity(documents.len());
    for (id, digest) in documents {
        let value = value(pki, holder, digest, fault)?;
        objects.push(wire::signature_object(id, &encode(&value, fault)));
    }
    if let Some(fault) = fault {
        change_ids(&mut objects, fault);
    }
    Ok(objects)
}

fn value(
    pki: &Pki,
    holder: Holder,
    digest: &[u8; 32],
    fault: Option<&Fault>,
) -> Result<Vec<u8>, SandboxError> {
    let (holder, digest, scheme) = match fault {
        Some(Fault::OtherDigest) => (holder, sha256(b"another document"), Scheme::Pkcs1v15),
        Some(Fault::DoubleHash) => (holder, sha256(digest), Scheme::Pkcs1v15),
        Some(Fault::Pss) => (holder, *digest, Scheme::Pss),
        Some(Fault::ForeignKey) => (foreign(holder), *digest, Scheme::Pkcs1v15),
        _ => (holder, *digest, Scheme::Pkcs1v15),
    };
    let mut value = pki.sign(holder, &digest, scheme)?;
    match fault {
        Some(Fault::WrongValue) => value.iter_mut().for_each(|octet| *octet ^= 0x5A),
        Some(Fault::ShortValue) => value.truncate(value.len().saturating_sub(1)),
        _ => {}
    }
    Ok(value)
}

/// A certificate in the same name, with another key.
const fn foreign(holder: Holder) -> Holder {
    Holder { user: holder.user, edition: Holder::FOREIGN }
}

fn sha256(data: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, data);
    <[u8; 32]>::try_from(digest.as_ref()).unwrap_or_default()
}

fn encode(value: &[u8], fault: Option<&Fault>) -> String {
    let text = Base64::encode_string(value);
    match fault {
        Some(Fault::LineBreaks) => {
            let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
            lines.join("\r\n")
        }
        Some(Fault::UrlAlphabet) => text.replace('+', "-").replace('/', "_"),
        _ => text,
    }
}

/// Applies a fault to the ids and the order of the values.
fn change_ids(objects: &mut Vec<Value>, fault: &Fault) {
    let id_of = |object: Option<&Value>| object.and_then(|o| o.get("whichDoc")).cloned();
    let rename = |object: Option<&mut Value>, id: Option<Value>| {
        if let (Some(object), Some(id)) = (object.and_then(Value::as_object_mut), id) {
            object.insert("whichDoc".to_owned(), id);
        }
    };
    let (first, second) = (id_of(objects.first()), id_of(objects.get(1)));
    match fault {
        Fault::SwappedValues if second.is_some() => {
            rename(objects.first_mut(), second);
            rename(objects.get_mut(1), first);
            // Restores the order of the request, so that only the values are wrong.
            objects.swap(0, 1);
        }
        Fault::DuplicateId if second.is_some() => rename(objects.get_mut(1), first),
        Fault::DuplicateId => objects.extend(objects.first().cloned()),
        Fault::UnknownId => rename(objects.first_mut(), Some(json!("nobody-asked-for-this"))),
        Fault::ReversedOrder => objects.reverse(),
        Fault::MissingId | Fault::LowerCaseKey => {
            for object in objects.iter_mut().filter_map(Value::as_object_mut) {
                let id = object.remove("whichDoc");
                if let (Fault::LowerCaseKey, Some(id)) = (fault, id) {
                    object.insert("whichdoc".to_owned(), id);
                }
            }
        }
        _ => {}
    }
}

/// The answer to a finished identification, with a fault applied.
pub(crate) fn identified(
    pki: &Pki,
    holder: Holder,
    partner_code: &str,
    fault: Option<&Fault>,
) -> Result<Value, SandboxError> {
    let own = pki.certificate(holder)?;
    let (leaf, first) = match fault {
        Some(Fault::ForeignCertificate) => (pki.certificate(foreign(holder))?, own),
        Some(Fault::ForeignIdentity) => {
            let other = pki.certificate(foreign(holder))?;
            (other.clone(), other)
        }
        _ => (own.clone(), own),
    };
    let (issuing, root) = (pki.issuing_pem(), pki.root_pem());
    let chain = match fault {
        Some(Fault::ChainScrambled) => format!("{root}{first}{issuing}{root}"),
        _ => format!("{first}{issuing}{root}"),
    };
    // CR LF between the lines, and no line break after the last one.
    let crlf = |pem: String| pem.trim_end().replace('\n', "\r\n");
    let (leaf, chain) = match fault {
        Some(Fault::CrlfPem) => (crlf(leaf), crlf(chain)),
        _ => (leaf, chain),
    };
    let user_code = User::user_code(holder.user, partner_code);
    let mut answer = wire::identified(&user_code, &leaf, &chain);
    if let (Some(Fault::ChainMissing), Some(answer)) = (fault, answer.as_object_mut()) {
        answer.remove("fullCertificateChain");
    }
    Ok(answer)
}

/// Applies a fault that changes only the body of an answer.
pub(crate) fn change_body(answer: &mut Value, fault: &Fault) {
    match fault {
        Fault::SmallD => {
            if let Some(object) = answer.as_object_mut()
                && let Some(id) = object.remove("asyncRespID")
            {
                object.insert("asyncRespId".to_owned(), id);
            }
        }
        Fault::UntrustedHost | Fault::HttpUrl | Fault::UrlFragment => {
            for pointer in ["/identificationUrl", "/optOutp/itsme/signingUrl"] {
                if let Some(url) = answer.pointer_mut(pointer) {
                    let page = url.as_str().unwrap_or_default();
                    *url = match fault {
                        Fault::UntrustedHost => json!("https://untrusted.example/qes/identify?q=1"),
                        Fault::HttpUrl => json!("http://front.sandbox.invalid/qes/identify?q=1"),
                        _ => json!(format!("{page}#fragment")),
                    };
                }
            }
        }
        Fault::SuccessWithoutValues => {
            if let Some(object) = answer.as_object_mut() {
                object.remove("sigObj");
            }
        }
        Fault::UnknownMajor => set_result(answer, "maj", Some(&json!(wire::unknown_major()))),
        Fault::Result { maj, min, msg } => {
            set_result(answer, "maj", maj.as_ref().map(|maj| json!(maj)).as_ref());
            set_result(answer, "min", min.as_ref().map(|min| json!(min)).as_ref());
            set_result(answer, "msg", msg.as_ref().map(|msg| json!(msg)).as_ref());
        }
        _ => {}
    }
}

fn set_result(answer: &mut Value, key: &str, value: Option<&Value>) {
    let result = answer.get_mut("result").and_then(Value::as_object_mut);
    if let (Some(result), Some(value)) = (result, value) {
        result.insert(key.to_owned(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(ids: &[&str]) -> Vec<Value> {
        ids.iter().map(|id| wire::signature_object(id, &format!("value-{id}"))).collect()
    }

    fn changed(ids: &[&str], fault: &Fault) -> Vec<(String, String)> {
        let mut objects = objects(ids);
        change_ids(&mut objects, fault);
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        objects.iter().map(|o| (text(&o["whichDoc"]), text(&o["b64Sig"]["value"]))).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn values_are_swapped_or_reversed() {
        let swapped = changed(&["a", "b", "c"], &Fault::SwappedValues);
        assert_eq!(swapped, pairs(&[("a", "value-b"), ("b", "value-a"), ("c", "value-c")]));
        let reversed = changed(&["a", "b"], &Fault::ReversedOrder);
        assert_eq!(reversed, pairs(&[("b", "value-b"), ("a", "value-a")]));
        assert_eq!(changed(&["a"], &Fault::SwappedValues), pairs(&[("a", "value-a")]));
    }

    #[test]
    fn ids_are_repeated_unknown_or_missing() {
        let twice = pairs(&[("a", "value-a"), ("a", "value-b")]);
        assert_eq!(changed(&["a", "b"], &Fault::DuplicateId), twice);
        assert_eq!(changed(&["a"], &Fault::DuplicateId).len(), 2);
        assert_eq!(changed(&["a"], &Fault::MissingId), pairs(&[("-", "value-a")]));
        assert_eq!(changed(&["a"], &Fault::UnknownId)[0].0, "nobody-asked-for-this");
        assert!(changed(&[], &Fault::DuplicateId).is_empty());
    }

    #[test]
    fn keys_and_urls_get_their_other_forms() {
        let mut value = wire::identification_opened("i", "https://front.example/?q=1");
        change_body(&mut value, &Fault::SmallD);
        assert_eq!((value.get("asyncRespID"), value["asyncRespId"].as_str()), (None, Some("i")));
        change_body(&mut value, &Fault::UrlFragment);
        assert_eq!(value["identificationUrl"], "https://front.example/?q=1#fragment");
        let mut all = objects(&["a"]);
        change_ids(&mut all, &Fault::LowerCaseKey);
        assert_eq!(all[0]["whichdoc"], "a");
    }
}
