//! A remote signer that sends the user's browser to its own page, as a web application uses it:
//! each step could run in another process. `remote_redirect`
//!
//! The signer is a toy: its "service" is a key in this program. Replace `ToySigner` by
//! `ades::itsme::ItsmeSigner` (feature `itsme`) or by a signer of your own.

use std::error::Error;
use std::fs;
use std::time::{Duration, SystemTime};

use ades::pkcs12::{Pkcs12Signer, PrivateKey};
use ades::signer::{
    BoxFuture, Capabilities, Event, IdentificationRequest, IdentificationSession, Identity,
    SignatureValue, SignerErrorKind, SigningItem, SigningRequest, SigningSession, Step, StepResult,
};
use ades::{
    Certificate, CertificateChain, Document, Inputs, PendingSignature, RemoteSigner,
    SignatureParameters, SigningOptions,
};
use rcgen::{CertificateParams, DnType, KeyPair, KeyUsagePurpose};
use serde_json::{from_str, to_string};

const DOCUMENT: &[u8] = b"<contract xmlns='urn:example'>1,000 euro</contract>";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let signer = ToySigner::new()?;
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let options = SigningOptions::new(SignatureParameters::new(SystemTime::now()));

    // Request 1: the user wants to sign. Check the document before anybody is asked, store the
    // session, and send the browser to the signer.
    ades::check(&mut Document::from_bytes(DOCUMENT), &options)?;
    let first = signer.identify(IdentificationRequest::default()).await?;
    let Step::Redirect { url, session, .. } = first else { return Err("unexpected step".into()) };
    fs::write(file("session"), to_string(&session)?)?;
    fs::write(file("options"), to_string(&options)?)?;
    println!("redirect to {url}");

    // Request 2: the browser comes back with the signer's query. The user is known now, so the
    // signature can be prepared. Store it, and send the browser to confirm it.
    let session: IdentificationSession = from_str(&fs::read_to_string(file("session"))?)?;
    let returned = Event::Returned { query: "state=1".to_owned(), browser: None };
    let Step::Done(identity) = signer.continue_identification(session, returned).await? else {
        return Err("the user is not identified".into());
    };
    let options: SigningOptions = from_str(&fs::read_to_string(file("options"))?)?;
    let mut document = Document::from_bytes(DOCUMENT);
    let pending = ades::prepare(&mut document, &identity.chain, &options)?;
    let item = SigningItem::new("contract", pending.to_be_signed());
    let first = signer.sign(SigningRequest::new(identity, vec![item])).await?;
    let Step::Redirect { url, session, .. } = first else { return Err("unexpected step".into()) };
    fs::write(file("session"), to_string(&session)?)?;
    fs::write(file("pending"), pending.to_json(None)?)?;
    println!("redirect to {url}");

    // Request 3: the browser comes back. Store the values first in a real application, then
    // complete.
    let session: SigningSession = from_str(&fs::read_to_string(file("session"))?)?;
    let returned = Event::Returned { query: "state=2".to_owned(), browser: None };
    let Step::Done(values) = signer.continue_signing(session, returned).await? else {
        return Err("the user has not confirmed".into());
    };
    let pending = PendingSignature::from_json(&fs::read_to_string(file("pending"))?, None)?;
    let value = &values.first().ok_or("no value")?.value;
    let mut document = Document::from_bytes(DOCUMENT);
    let mut signed = Vec::new();
    pending.complete(Some(&mut document), value, &mut signed)?;
    pending.verify_completed(&mut Document::from_bytes(&signed), Inputs::new(&mut document))?;
    println!("{}", String::from_utf8(signed)?);
    Ok(())
}

/// A signer that sends the browser to two pages: one that identifies the user, and one that
/// confirms the signature.
struct ToySigner(Pkcs12Signer);

impl ToySigner {
    fn new() -> Result<Self, Box<dyn Error>> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Toy User");
        params.key_usages = vec![KeyUsagePurpose::ContentCommitment];
        let certificate = Certificate::from_der(params.self_signed(&key)?.der().to_vec())?;
        let key = PrivateKey::from_pkcs8(&key.serialize_der())?;
        let chain = CertificateChain::from_leaf(certificate, [])?;
        Ok(Self(Pkcs12Signer::new(key, chain)?))
    }
}

impl RemoteSigner for ToySigner {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.0.capabilities();
        capabilities.name = "toy";
        capabilities.interactive = true;
        capabilities.max_batch = 1;
        capabilities
    }

    fn identify(
        &self,
        _request: IdentificationRequest,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        Box::pin(async {
            let session = IdentificationSession::pack("toy", 1, &"state=1")?;
            Ok(Step::redirect("https://signer.example/who?state=1", session))
        })
    }

    fn continue_identification(
        &self,
        session: IdentificationSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        Box::pin(async move {
            let expected: String = session.unpack("toy", 1)?;
            match event {
                Event::Returned { query, .. } if query == expected => {
                    Ok(Step::Done(Identity::new(self.0.chain().clone(), None)))
                }
                Event::Returned { .. } => Err(SignerErrorKind::State.into()),
                _ => Ok(Step::wait(Duration::from_secs(5), session)),
            }
        })
    }

    fn sign(
        &self,
        request: SigningRequest,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        Box::pin(async move {
            request.check(&self.capabilities())?;
            // The toy signs at once and keeps the values in the session. A real service has them.
            let Step::Done(values) = self.0.sign(request).await? else {
                return Err(SignerErrorKind::Unclear.into());
            };
            let session = SigningSession::pack("toy", 1, &("state=2", values))?;
            Ok(Step::redirect("https://signer.example/confirm?state=2", session))
        })
    }

    fn continue_signing(
        &self,
        session: SigningSession,
        event: Event,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        Box::pin(async move {
            let (expected, values): (String, Vec<SignatureValue>) = session.unpack("toy", 1)?;
            match event {
                Event::Returned { query, .. } if query == expected => Ok(Step::Done(values)),
                Event::Returned { .. } => Err(SignerErrorKind::State.into()),
                _ => Ok(Step::wait(Duration::from_secs(5), session)),
            }
        })
    }
}
