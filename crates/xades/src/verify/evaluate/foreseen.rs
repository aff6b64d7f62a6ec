//! A signature that is known before its container is read, so that one reading is enough to
//! find it and to digest what it refers to.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use ades_core::{DigestAlgorithm, Document, DocumentDigest};

use crate::c14n::{InsertionFacts, Target};
use crate::checkpoint::Checkpoint;
use crate::namespaces::DS;
use crate::options::ReadingOptions;
use crate::source_document::{Digesting, SourceDocument, digester};
use crate::verify::collect::{CollectedDocument, Collector, Counted};
use crate::verify::signature::Signature;
use crate::verify::tree::of_fragment;
use crate::xml::Event;

use super::job::{Done, Job, carry_out, carry_out_with};
use super::stamped::{Made, Stamps};
use super::state::Budget;
use super::{NextStamp, References, next_stamps};

/// A signature that a document is expected to have, and no other.
#[derive(Clone)]
pub(crate) struct ForeseenSignature {
    /// The signature element. Its value and the content of its objects do not matter.
    pub(crate) fragment: String,
    /// Its offset in the document, which is UTF-8.
    pub(crate) offset: u64,
    /// A place before it, if this process has read the document without it.
    pub(crate) checkpoint: Option<Arc<Checkpoint>>,
}

/// The outcomes of the references of foreseen signatures, and of their time-stamps.
pub(crate) struct ForeseenOutcomes {
    jobs: Vec<Job>,
    found: Foreseen,
}

/// What a reading has made of what was foreseen.
pub(super) struct Foreseen {
    /// The results of the jobs.
    pub(super) done: Vec<Done>,
    pub(super) stamps: Vec<Made>,
    /// Of the time-stamps that are next.
    pub(super) next: Vec<Made>,
}

impl ForeseenSignature {
    /// Reads the document, and digests what the foreseen signature refers to. `None` if that
    /// fails: the usual way then succeeds, or reports why it does not.
    ///
    /// The octets before the checkpoint are compared with its digest instead of being parsed.
    pub(crate) fn read(
        &self,
        document: &mut Document<'_>,
        reading: &ReadingOptions,
        expected: &[Target],
    ) -> Option<(CollectedDocument, ForeseenOutcomes)> {
        // A stream cannot be read again.
        let length = document.len().ok()??;
        let mut element = of_fragment(self.fragment.as_bytes(), &reading.ids)?;
        if !element.is(DS, "Signature") {
            return None;
        }
        element.move_by(self.offset);
        let signatures = [Signature::read(&element)];
        let jobs = References::new(&signatures, reading).ok()?.jobs;
        let budget = Budget::new(length, &mut []).ok()?;
        let own = element.attribute("Id").map(|id| format!("{id}-"));
        let fits = |checkpoint: &&Checkpoint| {
            let is_own = |id: &str| own.as_ref().is_some_and(|own| id.starts_with(own.as_str()));
            expected.is_empty() && jobs.iter().all(|job| job.continues(checkpoint, is_own))
        };
        let checkpoint = self.checkpoint.as_deref().filter(fits);
        let early = checkpoint
            .and_then(|checkpoint| continue_from(checkpoint, document, &jobs, reading, &budget));
        let (collected, done) = match early {
            Some(early) => early,
            None => {
                let mut collector = Collector::new(&reading.ids, expected);
                let mut length = 0;
                let counted = Counted { inner: document.reader().ok()?, length: &mut length };
                let reader = reading.reader(counted).ok()?;
                let see = &mut |event: &Event<'_>| collector.see(event);
                let done = carry_out(&jobs, reader, reading, &budget, None, see).ok()?;
                (collector.finish(length).ok()?, done)
            }
        };
        let found = Foreseen { done, stamps: Vec::new(), next: Vec::new() };
        Some((collected, ForeseenOutcomes { jobs, found }))
    }
}

/// Reads a document that begins with the octets before the checkpoint. `None` if it does not, or
/// if it has anything else than one signature.
fn continue_from(
    checkpoint: &Checkpoint,
    document: &mut Document<'_>,
    jobs: &[Job],
    reading: &ReadingOptions,
    budget: &Budget,
) -> Option<(CollectedDocument, Vec<Done>)> {
    let mut source = document.reader().ok()?;
    if !checkpoint.is_reached(&mut source).ok()? {
        return None;
    }
    let mut collector = Collector::continuing(&reading.ids, &checkpoint.pass);
    let mut length = checkpoint.at();
    let counted = Counted { inner: source, length: &mut length };
    let reader = checkpoint.pass.reader.resume(counted);
    let see = &mut |event: &Event<'_>| collector.see(event);
    let done = carry_out(jobs, reader, reading, budget, Some(checkpoint), see).ok()?;
    let collected = collector.finish(length).ok()?;
    (collected.signatures.len() == 1).then_some((collected, done))
}

impl ForeseenOutcomes {
    /// The results of these jobs. `None` unless they are the foreseen ones: the document has
    /// another signature, or the signature is at another place.
    pub(super) fn of(self, jobs: &[Job]) -> Option<Foreseen> {
        (self.jobs == jobs).then_some(self.found)
    }
}

/// A document that was read once, with the outcomes.
type ReadOnce = (CollectedDocument, SourceDocument, InsertionFacts, ForeseenOutcomes);

/// Reads a document that is expected to have these signatures, and digests what they, their
/// time-stamps and the `next` ones are over. `None` if that fails: the usual way then succeeds, or
/// reports why it does not.
pub(crate) fn read_foreseen(
    document: &mut Document<'_>,
    algorithm: DigestAlgorithm,
    signatures: &[Option<Signature<'_>>],
    next: &[NextStamp],
    reading: &ReadingOptions,
) -> Option<ReadOnce> {
    let length = document.len().ok()??;
    let jobs = References::new(signatures, reading).ok()?.jobs;
    let mut stamps = Stamps::of(signatures, &reading.ids);
    let mut next = next_stamps(signatures, next, reading);
    let (budget, of_next) =
        (Budget::new(length, &mut []).ok()?, Budget::new(length, &mut []).ok()?);
    let of_octets = RefCell::new(digester(document, algorithm).ok()?);
    let mut octets = Digesting::new(document.reader().ok()?, &of_octets, None);
    let mut collector = Collector::new(&reading.ids, &[]);
    let see = &mut |event: &Event<'_>| collector.see(event);
    let with = &mut [(&mut stamps, &budget), (&mut next, &of_next)];
    let reader = reading.reader(&mut octets).ok()?;
    let (done, facts) = carry_out_with(with, &jobs, reader, reading, &budget, None, see).ok()?;
    let length = octets.length;
    drop(octets);
    let digest = DocumentDigest(of_octets.into_inner().finish().ok()?.finish());
    let source = SourceDocument { digest, length };
    let found = Foreseen { done, stamps: stamps.into_made(), next: next.into_made() };
    let outcomes = ForeseenOutcomes { jobs, found };
    Some((collector.finish(length).ok()?, source, facts, outcomes))
}

// The signature element contains roles and places, which must not reach logs.
impl fmt::Debug for ForeseenSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeseenSignature").field("offset", &self.offset).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ades_core::{Certificate, CertificateChain, SignatureParameters};
    use chrono::DateTime;
    use test_documents::invoice::Invoice;
    use test_key::TestKey;

    use super::*;
    use crate::c14n::Canonicalization;
    use crate::{Check, PendingSignature, SignatureOptions, prepare_copying};

    /// A signature as this process prepared it, and the signed document.
    fn sign(document: &[u8], method: Canonicalization) -> (PendingSignature, Vec<u8>) {
        let key = TestKey::new("Signer of long documents");
        let certificate = Certificate::from_der(key.certificate()).unwrap();
        let chain = CertificateChain::from_leaf(certificate, []).unwrap();
        let time = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let (parameters, mut copy) = (SignatureParameters::new(time), Cursor::new(Vec::new()));
        let options = SignatureOptions::new().canonicalization(method);
        let source = &mut Document::from_bytes(document);
        let pending = prepare_copying(source, &chain, &parameters, &options, &mut copy).unwrap();
        let value = key.sign_digest(pending.to_be_signed().digest().0.value());
        pending.complete_in_place(&mut copy, &value, Check::LengthAndTail).unwrap();
        (pending, copy.into_inner())
    }

    /// What reading shows: from the start, and from the checkpoint.
    fn both_readings(pending: &PendingSignature, signed: &[u8]) -> [String; 2] {
        let foreseen = pending.foreseen().unwrap();
        let without = ForeseenSignature { checkpoint: None, ..foreseen.clone() };
        [without, foreseen].map(|foreseen| {
            let found = foreseen.read(&mut Document::from_bytes(signed), &pending.reading, &[]);
            format!("{:?}", found.map(|(collected, outcomes)| (collected, outcomes.found.done)))
        })
    }

    /// Whether the check continues from the checkpoint.
    fn is_used(pending: &PendingSignature, signed: &[u8]) -> bool {
        let foreseen = pending.foreseen().unwrap();
        let Some(checkpoint) = foreseen.checkpoint.as_deref() else { return false };
        let mut element = of_fragment(foreseen.fragment.as_bytes(), &pending.reading.ids).unwrap();
        element.move_by(foreseen.offset);
        let jobs = References::new(&[Signature::read(&element)], &pending.reading).unwrap().jobs;
        let budget = Budget::new(signed.len() as u64, &mut []).unwrap();
        let signed = &mut Document::from_bytes(signed);
        continue_from(checkpoint, signed, &jobs, &pending.reading, &budget).is_some()
    }

    fn documents() -> Vec<Vec<u8>> {
        let invoice = Invoice::in_memory(1 << 21);
        let with_mark = [b"\xEF\xBB\xBF", invoice.as_slice()].concat();
        let mut others = Vec::new();
        for (root, part) in [
            ("a xml:lang='nl' xml:base='http://h/b/' xmlns='urn:a'", "<b xmlns=''><!-- c -->é</b>"),
            ("p:a xmlns:p='urn:&lt;' z='1' b='2'", "x]]<p:e q='&#10;\"'/>&gt;<![CDATA[ ]] ]]>\r\n"),
            ("a", "<?data  some?><p:b xmlns:p='urn:p' xmlns:unused='urn:u'><c p:a=''/></p:b>"),
        ] {
            let name = root.split(' ').next().unwrap();
            let parts = part.repeat((1 << 21) / part.len());
            others.push(format!("<!--c--><{root}><z/>{parts}</{name}>\n<?end?>").into_bytes());
            // Elements that are open at the checkpoint.
            let open =
                format!("<o xmlns:o='urn:o' {}>", root.split_once(' ').unwrap_or_default().1);
            let (open, close) = (open.repeat(20), "</o>".repeat(20));
            others.push(format!("<{root}><z/>{open}{parts}{close}<last/></{name}>").into_bytes());
        }
        [vec![invoice, with_mark], others].concat()
    }

    #[test]
    fn the_check_from_a_checkpoint_has_the_same_result() {
        for document in documents() {
            for method in [Canonicalization::EXCLUSIVE, Canonicalization::C14N_1_1] {
                let (pending, signed) = sign(&document, method);
                let start = String::from_utf8_lossy(document.get(..100).unwrap()).into_owned();
                assert!(is_used(&pending, &signed), "{start}");
                let [whole, continued] = both_readings(&pending, &signed);
                assert!(whole.starts_with("Some("), "{start}: {whole}");
                assert!(whole == continued, "{start}:\n{whole}\n{continued}");
            }
        }
    }

    #[test]
    fn a_changed_container_is_read_from_its_start() {
        let document = Invoice::in_memory(1 << 20);
        let (pending, signed) = sign(&document, Canonicalization::EXCLUSIVE);
        let at = usize::try_from(pending.foreseen().unwrap().checkpoint.unwrap().at()).unwrap();
        for place in [60, 100_000, at - 100, at - 1] {
            let mut changed = signed.clone();
            *changed.get_mut(place).unwrap() ^= 1;
            assert!(!is_used(&pending, &changed), "{place}");
        }
        // After the checkpoint, what is changed is parsed, as if from the start.
        for place in (at..signed.len()).step_by(9973).chain([signed.len() - 3]) {
            let mut changed = signed.clone();
            *changed.get_mut(place).unwrap() ^= 1;
            let [whole, continued] = both_readings(&pending, &changed);
            assert!(whole == continued, "{place}:\n{whole}\n{continued}");
        }
        assert!(!is_used(&pending, signed.get(..at - 1).unwrap()));
        let (end, rest) = (signed.len() - 11, signed.get(signed.len() - 11..).unwrap());
        let more = [signed.get(..end).unwrap(), b"<more/>", rest].concat();
        let [whole, continued] = both_readings(&pending, &more);
        assert!(whole == continued && whole.starts_with("Some("), "{whole}\n{continued}");
    }
}
