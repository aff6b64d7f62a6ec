//! NIST PKITS: certification paths with the revocation of every certificate.

use std::cell::Cell;
use std::collections::HashMap;

use ades_core::{Certificate, Oid};
use ades_evidence::crl::{self, Crl};
use ades_evidence::path::{InitialPolicies, IssuerPool, Outcome, PathBuilder, Purpose, Request};
use ades_evidence::revocation::{Combined, SignerRole, TimeFault, combine};
use ades_tests::corpora::everything;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Cases with another answer than the expected one.
const OTHERWISE: &[(&str, &str)] = &[
    ("40104", "DSA"),
    ("40105", "DSA"),
    ("41430", "the only CRL about its CRL issuer is its own: nobody vouches for himself"),
];

/// The certificates end in 2030.
fn time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

/// The answer to a case, as far as the expected answers distinguish them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Valid,
    /// There is no valid path.
    Path,
    Revoked,
    /// There are no usable revocation data.
    NoData,
    /// The revocation data are too old.
    Stale,
}

impl Answer {
    fn expected(case: &Value) -> Self {
        let text = |key: &str| Some(case.get("error")?[key].as_str().unwrap());
        if text("msg_regex").is_some_and(|message| message.contains("not recent enough")) {
            return Self::Stale;
        }
        match text("class") {
            None => Self::Valid,
            Some("PathValidationError") => Self::Path,
            Some("RevokedError") => Self::Revoked,
            Some("InsufficientRevinfoError") => Self::NoData,
            Some(other) => panic!("{other}"),
        }
    }
}

#[test]
fn no_invalid_path_is_accepted_and_no_valid_one_refused() {
    let Some(files) = everything(&["pkits/certs", "pkits/crls"], &[".crt", ".crl"]) else { return };
    let files: HashMap<&str, Vec<u8>> =
        files.iter().map(|(path, der)| (path.rsplit('/').next().unwrap(), der.clone())).collect();
    let cases = everything(&["pkits"], &["pkits.json"]).unwrap();
    let cases: Value = serde_json::from_slice(&cases[0].1).unwrap();
    let mut wrong = Vec::new();
    let (mut valid, mut as_expected) = (0, 0);
    for case in cases.as_array().unwrap() {
        let (id, name) = (case["id"].as_str().unwrap(), case["name"].as_str().unwrap());
        let (answer, expected) = (Case::new(case, &files).answer(case), Answer::expected(case));
        valid += usize::from(expected == Answer::Valid);
        as_expected += usize::from(answer == expected);
        let is_known = OTHERWISE.iter().any(|(known, _)| *known == id);
        // A wrong acceptance is never known.
        let accepted = answer == Answer::Valid && expected != Answer::Valid;
        if accepted || (answer == expected) == is_known {
            wrong.push(format!("{id} {name}: {answer:?}, {expected:?}, {}", case["error"]));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((valid, as_expected), (110, 246 - OTHERWISE.len()));
}

/// The certificates and CRLs of a case.
struct Case {
    leaf: Option<Certificate>,
    others: Vec<Certificate>,
    anchors: [Certificate; 1],
    crls: Vec<Vec<u8>>,
    /// Maximum number of certificates whose revocation is asked for: answers depend on
    /// one another.
    left: Cell<usize>,
}

impl Case {
    fn new(case: &Value, files: &HashMap<&str, Vec<u8>>) -> Self {
        let names = |key: &str| -> Vec<String> {
            let all = case.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
            all.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let read = |name: &str| Certificate::from_der(files[name].clone());
        let mut crls: Vec<Vec<u8>> =
            names("crls").iter().map(|name| files[name.as_str()].clone()).collect();
        crls.push(files["TrustAnchorRootCRL.crl"].clone());
        Self {
            leaf: read(case["cert"].as_str().unwrap()).ok(),
            others: names("other_certs").iter().filter_map(|name| read(name).ok()).collect(),
            anchors: [read("TrustAnchorRootCertificate.crt").unwrap()],
            crls,
            left: Cell::new(64),
        }
    }

    fn answer(&self, case: &Value) -> Answer {
        let Some(leaf) = &self.leaf else { return Answer::Path };
        let (from, to) = leaf.validity();
        if time() < from || time() > to {
            return Answer::Path;
        }
        let Some(path) = self.path(leaf, policies(case)) else { return Answer::Path };
        self.revocation(&path, &mut Vec::new()).err().unwrap_or(Answer::Valid)
    }

    fn path(&self, leaf: &Certificate, policies: InitialPolicies) -> Option<Vec<Certificate>> {
        let request = Request::document_signing(time()).purpose(Purpose::Any).policies(policies);
        let pool = IssuerPool::new(&self.others);
        match PathBuilder::new(&self.anchors).find(leaf, &pool, &request) {
            Outcome::Valid(path) => Some(path.certificates),
            _ => None,
        }
    }

    /// Asks for the revocation of every certificate below the anchor.
    fn revocation(&self, path: &[Certificate], asked: &mut Vec<Certificate>) -> Result<(), Answer> {
        for (subject, issuer) in path.iter().zip(&path[1..]).rev() {
            self.revocation_of(subject, issuer, asked)?;
        }
        Ok(())
    }

    fn revocation_of(
        &self,
        subject: &Certificate,
        issuer: &Certificate,
        asked: &mut Vec<Certificate>,
    ) -> Result<(), Answer> {
        if asked.contains(subject) || self.left.get() == 0 {
            return Err(Answer::NoData);
        }
        self.left.set(self.left.get() - 1);
        asked.push(subject.clone());
        let crls = self.crls.iter().filter_map(|octets| Crl::read(&octets[..], [subject]).ok());
        let others: Vec<Certificate> = self.others.iter().chain(&self.anchors).cloned().collect();
        let (mut usable, mut stale) = (Vec::new(), false);
        for facts in crl::about(subject, issuer, &crls.collect::<Vec<_>>(), &others) {
            let Ok(facts) = facts else { continue };
            match facts.check_current(time()) {
                Ok(()) => {}
                Err(TimeFault::Stale { .. }) => {
                    stale = true;
                    continue;
                }
                Err(_) => continue,
            }
            // RFC 5280, 6.3.3 (f): the signer's path ends at the same anchor.
            let speaks = facts.role == SignerRole::Issuer
                || self
                    .path(&facts.signer, InitialPolicies::default())
                    .is_some_and(|path| self.revocation(&path, asked).is_ok());
            if speaks {
                usable.push(facts);
            }
        }
        asked.pop();
        match combine(&usable) {
            Combined::Good => Ok(()),
            Combined::Revoked(_) => Err(Answer::Revoked),
            _ if stale => Err(Answer::Stale),
            _ => Err(Answer::NoData),
        }
    }
}

fn policies(case: &Value) -> InitialPolicies {
    let params = &case["params"];
    let flag = |name: &str| params[name] == true;
    let mut policies = InitialPolicies::default();
    let acceptable = params["user_initial_policy_set"].as_array().cloned().unwrap_or_default();
    policies.acceptable =
        acceptable.iter().map(|oid| Oid::from_dotted(oid.as_str().unwrap()).unwrap()).collect();
    policies.explicit = flag("initial_explicit_policy");
    policies.inhibit_mapping = flag("initial_policy_mapping_inhibit");
    policies.inhibit_any = flag("initial_any_policy_inhibit");
    policies
}
