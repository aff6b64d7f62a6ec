//! Finds the certificates of each key, and the key that signs.

use ades_core::{Certificate, CertificateChain, DigestAlgorithm};
use pkcs12_file::{CertificateBag, Contents, Key};

use crate::{Error, OpenOptions, PrivateKey};

/// A key and one of its certificates. After a renewal, a key has more than one.
struct Pair<'a> {
    /// The key's index among the usable keys
    key: usize,
    key_name: Option<&'a str>,
    certificate: &'a Certificate,
    certificate_name: Option<&'a str>,
}

/// The chosen key and its certificates.
pub(crate) fn choose(
    contents: Contents,
    options: &OpenOptions,
) -> Result<(PrivateKey, CertificateChain), Error> {
    // The file may also hold keys and certificates that this version cannot read.
    // They do no harm as long as the chosen pair is readable.
    let mut usable: Vec<(PrivateKey, &Key)> = Vec::new();
    let mut unusable: Vec<(Error, &Key)> = Vec::new();
    for bag in contents.keys() {
        match PrivateKey::from_pkcs8(bag.pkcs8()) {
            Ok(key) => usable.push((key, bag)),
            Err(error) => unusable.push((error, bag)),
        }
    }
    let certificates: Vec<(Certificate, &CertificateBag)> = contents
        .certificates()
        .iter()
        .filter_map(|bag| Some((Certificate::from_der(bag.der()).ok()?, bag)))
        .collect();
    let pairs = pairs(&usable, &certificates);
    let chosen: Vec<&Pair<'_>> = match (&options.certificate, &options.key_name) {
        (Some(wanted), _) => pairs.iter().filter(|pair| pair.certificate == wanted).collect(),
        (None, Some(name)) => named(&pairs, name),
        (None, None) => pairs.iter().collect(),
    };
    let several = || chosen.iter().any(|pair| Some(pair.key) != chosen.first().map(|p| p.key));
    let (index, leaf) = match chosen.first() {
        Some(pair) if !several() => (pair.key, pair.certificate.clone()),
        Some(_) => return Err(Error::SeveralKeys { names: names(&chosen) }),
        None => {
            let wanted = wanted(options);
            // The chosen key may be one that this version cannot use: its own error
            // says more than `NoSuchKey`.
            let named = |bag: &Key| {
                let name = bag.friendly_name();
                wanted.is_none() || pairs.is_empty() || name == wanted.as_deref()
            };
            if let Some(at) = unusable.iter().position(|(_, bag)| named(bag)) {
                return Err(unusable.swap_remove(at).0);
            }
            if let Some(wanted) = wanted.filter(|_| !pairs.is_empty()) {
                let names = names(&pairs.iter().collect::<Vec<_>>());
                return Err(Error::NoSuchKey { wanted, names });
            }
            let (keys, certificates) = (contents.keys().len(), contents.certificates().len());
            return Err(match contents.into_unreadable() {
                Some(error) => error.into(),
                None => Error::NoPair { keys, certificates },
            });
        }
    };
    let chain = CertificateChain::from_leaf(
        leaf,
        certificates.into_iter().map(|(certificate, _)| certificate),
    )?;
    let (key, _) = usable.swap_remove(index);
    Ok((key, chain))
}

/// Each key with its certificates. The certificate that shares the key's local id
/// is the first.
fn pairs<'a>(
    keys: &'a [(PrivateKey, &'a Key)],
    certificates: &'a [(Certificate, &'a CertificateBag)],
) -> Vec<Pair<'a>> {
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    for (index, (key, bag)) in keys.iter().enumerate() {
        let mut own: Vec<_> =
            certificates.iter().filter(|(certificate, _)| key.belongs_to(certificate)).collect();
        let id = bag.local_key_id();
        own.sort_by_key(|(_, certificate)| id.is_none() || certificate.local_key_id() != id);
        for (certificate, certificate_bag) in own {
            // The same key or certificate can be in a file twice.
            if pairs.iter().all(|pair| pair.certificate != certificate) {
                pairs.push(Pair {
                    key: index,
                    key_name: bag.friendly_name(),
                    certificate,
                    certificate_name: certificate_bag.friendly_name(),
                });
            }
        }
    }
    pairs
}

/// The pairs with exactly this name. If there is none: those whose name differs in
/// case only, or whose certificate has this fingerprint, with or without colons.
fn named<'a>(pairs: &'a [Pair<'a>], name: &str) -> Vec<&'a Pair<'a>> {
    let exact: Vec<_> = pairs.iter().filter(|pair| pair.has_name(|n| n == name)).collect();
    if !exact.is_empty() {
        return exact;
    }
    let lower = name.to_lowercase();
    let digits = lower.replace(':', "");
    pairs
        .iter()
        .filter(|pair| {
            pair.has_name(|n| n.to_lowercase() == lower) || fingerprint(pair.certificate) == digits
        })
        .collect()
}

fn wanted(options: &OpenOptions) -> Option<String> {
    options.certificate.as_ref().map(fingerprint).or_else(|| options.key_name.clone())
}

/// For each key, the name that chooses it: its friendly name or, if it has none or
/// another key has the same, the fingerprint of its certificate.
fn names(pairs: &[&Pair<'_>]) -> Vec<String> {
    let mut names: Vec<(usize, String)> = Vec::new();
    for pair in pairs {
        if names.iter().any(|(key, _)| *key == pair.key) {
            continue;
        }
        let is_unique = |name: &&str| {
            let others = pairs.iter().filter(|other| other.key != pair.key);
            !others.into_iter().any(|other| other.has_name(|n| n == *name))
        };
        let name = pair.key_name.or(pair.certificate_name).filter(is_unique);
        let name = match name {
            Some(name) => format!("{name:?}"),
            None => format!("{:?}", fingerprint(pair.certificate)),
        };
        names.push((pair.key, name));
    }
    names.into_iter().map(|(_, name)| name).collect()
}

/// SHA-256 in hexadecimal digits.
fn fingerprint(certificate: &Certificate) -> String {
    let digest = certificate.digest(DigestAlgorithm::Sha256);
    digest.value().iter().map(|octet| format!("{octet:02x}")).collect()
}

impl Pair<'_> {
    fn has_name(&self, is: impl Fn(&str) -> bool) -> bool {
        self.key_name.is_some_and(&is) || self.certificate_name.is_some_and(&is)
    }
}
