//! Signing in one call.

use std::time::Duration;

use ades::signer::{
    BoxFuture, Capabilities, IdentificationRequest, IdentificationSession, Identity, Refusal,
    RefusalReason, SignatureValue, SigningRequest, SigningSession, Step, StepResult,
};
use ades::{BatchItem, Document, Error, PdfOptions, RemoteSigner, VerifyOptions};

use crate::pki::{BINARY, Signer, XML, now, options, pdf};

#[test]
fn documents_of_all_formats_are_one_batch() {
    let signer = Signer::new();
    let pdf = pdf("");
    let mut outputs = [const { Vec::new() }; 3];
    let mut documents = [&pdf[..], XML, BINARY].map(Document::from_bytes);
    let mut items: Vec<BatchItem<'_, '_>> = documents
        .iter_mut()
        .zip(&mut outputs)
        .map(|(document, out)| BatchItem::new(document, out))
        .collect();
    ades::sign_batch(&mut items, &signer.remote, &options()).unwrap();
    drop(items);
    let anchors = [signer.root.clone()];
    for (at, (signed, format)) in outputs.iter().zip(["PAdES", "XAdES", "CAdES"]).enumerate() {
        let mut options = VerifyOptions::new().trust(&anchors).without_revocation();
        if at == 2 {
            options = options.original(None, Document::from_bytes(BINARY));
        }
        let report = ades::verify(&mut Document::from_bytes(signed), options, now()).unwrap();
        assert!(report.is_passed(), "{report}");
        assert_eq!(report.format().to_string(), format);
    }
}

#[test]
fn nobody_is_asked_if_one_document_cannot_be_signed() {
    let mut outputs = [const { Vec::new() }; 2];
    let mut documents = [XML, b"<a>".as_slice()].map(Document::from_bytes);
    let mut items: Vec<BatchItem<'_, '_>> = documents
        .iter_mut()
        .zip(&mut outputs)
        .map(|(document, out)| BatchItem::new(document, out))
        .collect();
    // This signer panics when it is asked.
    let error = ades::sign_batch(&mut items, &Slow(None), &options()).unwrap_err();
    assert!(matches!(error, Error::Xades(_)), "{error:?}");
    drop(items);
    assert_eq!(outputs, [const { Vec::<u8>::new() }; 2]);
}

#[test]
fn warnings_are_returned() {
    let form = pdf("/AcroForm<</Fields[]/NeedAppearances true>>");
    let options = options().pdf(PdfOptions::new().reason("Agreed"));
    let mut document = Document::from_bytes(&form);
    let warnings =
        ades::sign(&mut document, &Signer::new().remote, &options, &mut Vec::new()).unwrap();
    assert_eq!(
        warnings.iter().map(|warning| warning.code()).collect::<Vec<_>>(),
        ["need-appearances"]
    );
}

#[test]
fn signer_that_needs_time_or_refuses_is_a_typed_error() {
    let sign = |signer: Slow| {
        let mut document = Document::from_bytes(BINARY);
        ades::sign(&mut document, &signer, &options(), &mut Vec::new()).unwrap_err()
    };
    let session = IdentificationSession::pack("slow", 1, &()).unwrap();
    let wait = Step::wait(Duration::from_secs(1), session);
    let error = sign(Slow(Some(wait)));
    assert!(matches!(error, Error::SignerNotImmediate { signer: "slow" }), "{error:?}");
    assert!(error.to_string().contains("prepare"), "{error}");
    let refusal = Refusal::new(RefusalReason::ByUser, None);
    let error = sign(Slow(Some(Step::Refused(refusal))));
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert_eq!(error.fault(), ades::Fault::User);
}

/// A signer that answers an identification with this step.
struct Slow(Option<Step<Identity, IdentificationSession>>);

impl RemoteSigner for Slow {
    fn capabilities(&self) -> Capabilities {
        Capabilities::immediate("slow", Vec::new())
    }

    fn identify(
        &self,
        _request: IdentificationRequest,
    ) -> BoxFuture<'_, StepResult<Identity, IdentificationSession>> {
        let step = self.0.clone().expect("nobody is asked");
        Box::pin(async { Ok(step) })
    }

    fn sign(
        &self,
        _request: SigningRequest,
    ) -> BoxFuture<'_, StepResult<Vec<SignatureValue>, SigningSession>> {
        panic!("nobody is asked")
    }
}
