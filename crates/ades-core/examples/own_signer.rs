//! A complete signer: the `openssl` command line has the key.
//!
//! `cargo run -p ades-core --example own_signer -- chain.pem key.pem` signs a
//! digest and verifies the value. See also `docs/own-signer.md`.

use std::io::Write;
use std::process::{Command, Stdio};
use std::task::{Context, Poll, Waker};

use ades_core::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use ades_core::signer::{
    BoxFuture, Capabilities, IdentificationRequest, IdentificationSession, Identity,
    SignatureValue, SignerError, SignerErrorKind, SigningItem, SigningRequest, SigningSession,
    Step, StepResult,
};
use ades_core::{CertificateChain, RemoteSigner, ToBeSigned};

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256);

struct OpensslSigner {
    chain: CertificateChain,
    key_file: String,
}

impl OpensslSigner {
    fn sign_one(&self, item: &SigningItem) -> Result<SignatureValue, SignerError> {
        let unavailable = |e| SignerError::new(SignerErrorKind::Unavailable).caused_by(e);
        let mut openssl = Command::new("openssl")
            .args(["pkeyutl", "-sign", "-pkeyopt", "digest:sha256", "-inkey", &self.key_file])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(unavailable)?;
        if let Some(mut stdin) = openssl.stdin.take() {
            stdin.write_all(item.to_be_signed.digest().0.value()).map_err(unavailable)?;
        }
        let output = openssl.wait_with_output().map_err(unavailable)?;
        Ok(SignatureValue::new(&item.id, output.stdout))
    }
}

impl RemoteSigner for OpensslSigner {
    fn capabilities(&self) -> Capabilities {
        Capabilities::immediate("openssl", vec![ALGORITHM])
    }

    fn identify(
        &self,
        _request: IdentificationRequest,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        let identity = Identity::new(self.chain.clone(), None);
        Box::pin(async { Ok(Step::Done(identity)) })
    }

    fn sign(
        &self,
        request: SigningRequest,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        Box::pin(async move {
            request.check(&self.capabilities())?;
            let values = request.items.iter().map(|item| self.sign_one(item));
            Ok(Step::Done(values.collect::<Result<_, _>>()?))
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, chain, key_file] = std::env::args()
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "usage: own_signer CHAIN.pem KEY.pem")?;
    let chain = CertificateChain::from_pem(&std::fs::read_to_string(chain)?)?;
    // A format crate's `to_be_signed()` returns this.
    let to_be_signed = ToBeSigned::new(b"data to be signed".to_vec(), ALGORITHM);
    let item = SigningItem::new("1", to_be_signed.clone());

    let signer: Box<dyn RemoteSigner> = Box::new(OpensslSigner { chain, key_file });
    let Step::Done(identity) = at_once(signer.identify(IdentificationRequest::default()))? else {
        return Err("this signer answers at once".into());
    };
    let leaf = identity.chain.leaf().clone();
    let Step::Done(values) = at_once(signer.sign(SigningRequest::new(identity, vec![item])))?
    else {
        return Err("this signer answers at once".into());
    };
    for SignatureValue { id, value, .. } in values {
        ades_core::verify::verify(&leaf, ALGORITHM, to_be_signed.data(), &value)?;
        println!("{id}: {} octets, verified", value.len());
    }
    Ok(())
}

/// Runs a future that never waits. Any executor could be used.
fn at_once<T>(mut future: BoxFuture<'_, Result<T, SignerError>>) -> Result<T, SignerError> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(SignerErrorKind::Unavailable.into()),
    }
}
