//! Keys from passwords: the derivation of PKCS#12 (RFC 7292, B.2), PBKDF1 and
//! PBKDF2 (RFC 8018), scrypt (RFC 7914).

use ades_core::asn1::{ber, der};
use sha2::Digest;
use sha2::digest::block_api::BlockSizeUser;

use crate::MAX_ITERATIONS;
use crate::ber_octets::{Algorithm, Secret, number, octet_string};
use crate::digest::{DigestKind, name_of, with_digest};
use crate::error::{Error, Limit, Part};

/// Maximum length of a derived key, in octets. Ciphers need 32 at most, the
/// longest digest has 64.
const MAX_KEY_LEN: u64 = 64;
/// Maximum of scrypt's N · r: it needs 128 octets for each.
const MAX_SCRYPT_BLOCKS: u64 = 1024 * 1024;

/// The number of iterations that are left for a file.
pub(crate) struct Budget(u64);

impl Budget {
    pub(crate) const fn new() -> Self {
        Self(MAX_ITERATIONS)
    }

    fn spend(&mut self, iterations: u64, blocks: usize) -> Result<(), Error> {
        let cost = iterations.saturating_mul(blocks as u64);
        self.0 = self.0.checked_sub(cost).ok_or(Error::Limit { limit: Limit::Iterations })?;
        Ok(())
    }
}

/// Salt and number of iterations.
#[derive(Clone, Debug)]
pub(crate) struct Salted {
    pub(crate) salt: Secret,
    iterations: u32,
}

impl Salted {
    pub(crate) fn new(salt: Secret, iterations: u64) -> Result<Self, Error> {
        // Also keeps the number within 32 bits. Zero means one, as in OpenSSL.
        match u32::try_from(iterations) {
            Ok(iterations) => Ok(Self { salt, iterations: iterations.max(1) }),
            Err(_) => Err(Error::Limit { limit: Limit::Iterations }),
        }
    }

    /// Reads the fields of `PBEParameter` and `pkcs-12PbeParams`.
    pub(crate) fn read(mut fields: ber::Reader<'_>, part: Part) -> Result<Self, Error> {
        let malformed = |e| part.malformed(e);
        let salt = fields.next("no salt").map_err(malformed)?;
        let salt = octet_string(salt, der::OCTET_STRING).map_err(malformed)?;
        let iterations = fields.next("no number of iterations").and_then(number);
        Self::new(salt, iterations.map_err(malformed)?)
    }

    /// The derivation of PKCS#12. `id` is the purpose of the octets (RFC 7292, B.3).
    pub(crate) fn pkcs12(
        &self,
        kind: DigestKind,
        password: &[u8],
        id: u8,
        len: usize,
        budget: &mut Budget,
    ) -> Result<Secret, Error> {
        let output_len = kind.output_len().max(1);
        budget.spend(u64::from(self.iterations), len.div_ceil(output_len))?;
        Ok(with_digest!(kind, D => pkcs12::<D>(password, self, id, len)))
    }

    /// PBKDF1 (RFC 8018, 5.1).
    pub(crate) fn pbkdf1(
        &self,
        kind: DigestKind,
        password: &[u8],
        budget: &mut Budget,
    ) -> Result<Secret, Error> {
        budget.spend(u64::from(self.iterations), 1)?;
        Ok(with_digest!(kind, D => {
            let input = Secret::new([password, &self.salt].concat());
            iterated::<D>(&input, self.iterations)
        }))
    }
}

/// Digests the input, then the digest, and so on: `iterations` times.
fn iterated<D: Digest>(input: &[u8], iterations: u32) -> Secret {
    let mut output = D::digest(input);
    for _ in 1..iterations {
        output = D::digest(&output);
    }
    Secret::new(output.to_vec())
}

/// RFC 7292, B.2, with the names of that clause.
fn pkcs12<D: Digest + BlockSizeUser>(p: &[u8], salted: &Salted, id: u8, n: usize) -> Secret {
    let v = <D as BlockSizeUser>::block_size();
    let repeated = |octets: &[u8]| {
        let len = octets.len().div_ceil(v) * v;
        octets.iter().copied().cycle().take(len).collect::<Vec<u8>>()
    };
    let d = vec![id; v];
    let mut i = Secret::new(repeated(&salted.salt));
    i.extend_from_slice(&Secret::new(repeated(p)));
    let mut out = Secret::new(Vec::with_capacity(n + <D as Digest>::output_size()));
    while out.len() < n {
        let a = iterated::<D>(&Secret::new([&d, i.as_slice()].concat()), salted.iterations);
        out.extend_from_slice(&a);
        let b: Secret = Secret::new(a.iter().copied().cycle().take(v).collect());
        for block in i.chunks_mut(v) {
            // block + b + 1, modulo 2 to the length of the block.
            let mut carry = 1u16;
            for (octet, b) in block.iter_mut().zip(b.iter()).rev() {
                let sum = u16::from(*octet) + u16::from(*b) + carry;
                let [high, low] = sum.to_be_bytes();
                *octet = low;
                carry = u16::from(high);
            }
        }
    }
    out.truncate(n);
    out
}

/// PBKDF2 or scrypt.
#[derive(Clone, Debug)]
pub(crate) struct Derivation {
    function: Function,
    /// The length of the key, where the parameters state it.
    pub(crate) key_len: Option<usize>,
}

#[derive(Clone, Debug)]
enum Function {
    Pbkdf2 { prf: DigestKind, salted: Salted },
    Scrypt { salt: Secret, params: scrypt::Params, cost: u64 },
}

impl Derivation {
    pub(crate) fn read(algorithm: Algorithm<'_>, at: u64, part: Part) -> Result<Self, Error> {
        let malformed = |e| part.malformed(e);
        let fields = || algorithm.fields(at).map_err(malformed);
        match algorithm.oid.to_string().as_str() {
            "1.2.840.113549.1.5.12" => Self::pbkdf2(fields()?, part),
            "1.3.6.1.4.1.11591.4.11" => Self::scrypt(fields()?, part),
            _ => Err(Error::unsupported(format!("a key derivation by {}", name_of(algorithm.oid)))),
        }
    }

    /// RFC 8018, A.2.
    fn pbkdf2(mut fields: ber::Reader<'_>, part: Part) -> Result<Self, Error> {
        let malformed = |e| part.malformed(e);
        let salt = fields.next("no salt").map_err(malformed)?;
        if salt.tag == der::SEQUENCE {
            return Err(Error::unsupported("a salt of PBKDF2 from another source"));
        }
        let salt = octet_string(salt, der::OCTET_STRING).map_err(malformed)?;
        let iterations = fields.next("no number of iterations").and_then(number);
        let salted = Salted::new(salt, iterations.map_err(malformed)?)?;
        let key_len = key_len(&mut fields, part)?;
        let prf = match fields.try_next().map_err(malformed)? {
            None => DigestKind::Sha1,
            Some(element) => {
                let oid = Algorithm::read(element).map_err(malformed)?.oid;
                DigestKind::of_hmac(oid)
                    .ok_or_else(|| Error::unsupported(format!("PBKDF2 with {}", name_of(oid))))?
            }
        };
        Ok(Self { function: Function::Pbkdf2 { prf, salted }, key_len })
    }

    /// RFC 7914, 7.
    fn scrypt(mut fields: ber::Reader<'_>, part: Part) -> Result<Self, Error> {
        let malformed = |e| part.malformed(e);
        let salt = fields.next("no salt").map_err(malformed)?;
        let salt = octet_string(salt, der::OCTET_STRING).map_err(malformed)?;
        let at = fields.offset();
        let mut next = || fields.next("no parameter of scrypt").and_then(number).map_err(malformed);
        let (n, r, p) = (next()?, next()?, next()?);
        if n.saturating_mul(r) > MAX_SCRYPT_BLOCKS || r.saturating_mul(p) > MAX_SCRYPT_BLOCKS / 16 {
            return Err(Error::Limit { limit: Limit::Memory });
        }
        let wrong = || Error::Malformed { part, offset: at, what: "wrong parameters of scrypt" };
        if !n.is_power_of_two() || n == 1 {
            return Err(wrong());
        }
        let narrow = |number: u64| u32::try_from(number).map_err(|_| wrong());
        let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| wrong())?;
        let params = scrypt::Params::new(log_n, narrow(r)?, narrow(p)?).map_err(|_| wrong())?;
        let cost = (n * r).saturating_mul(p);
        let key_len = key_len(&mut fields, part)?;
        Ok(Self { function: Function::Scrypt { salt, params, cost }, key_len })
    }

    /// Derives a key of `len` octets.
    pub(crate) fn derive(
        &self,
        password: &[u8],
        len: usize,
        budget: &mut Budget,
    ) -> Result<Secret, Error> {
        let mut key = Secret::new(vec![0; len]);
        match &self.function {
            Function::Pbkdf2 { prf, salted } => {
                let output_len = prf.output_len().max(1);
                budget.spend(u64::from(salted.iterations), len.div_ceil(output_len))?;
                with_digest!(*prf, D => {
                    pbkdf2::pbkdf2_hmac::<D>(password, &salted.salt, salted.iterations, &mut key);
                });
            }
            Function::Scrypt { salt, params, cost } => {
                budget.spend(*cost, 1)?;
                scrypt::scrypt(password, salt, params, &mut key)
                    .map_err(|_| Error::Limit { limit: Limit::KeyLength })?;
            }
        }
        Ok(key)
    }
}

fn key_len(fields: &mut ber::Reader<'_>, part: Part) -> Result<Option<usize>, Error> {
    let malformed = |e| part.malformed(e);
    let Some(element) = fields.next_if(der::INTEGER).map_err(malformed)? else {
        return Ok(None);
    };
    match number(element).map_err(malformed)? {
        len @ 1..=MAX_KEY_LEN => Ok(usize::try_from(len).ok()),
        _ => Err(Error::Limit { limit: Limit::KeyLength }),
    }
}

impl DigestKind {
    pub(crate) fn output_len(self) -> usize {
        with_digest!(self, D => <D as Digest>::output_size())
    }
}
