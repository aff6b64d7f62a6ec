//! Jobs that another program began are continued, in each of its stages.

use std::sync::Arc;

use ades::signer::{
    Event, IdentificationRequest, Identity, SigningItem, SigningRequest, Step, StepResult,
};
use ades::{Document, Format, Inputs, PendingSignature, RemoteSigner};
use ades_session::clock::Clock;
use ades_session::sealing::{KeyRing, RootKey};
use ades_session::store::{JobId, Keeper, KeyId, MemoryStore, Stage};
use ades_session::{
    Error, ImportedItem, ImportedJob, ImportedPosition, ImportedTrip, Next, Outcome, SigningJob,
};
use zeroize::Zeroizing;

use crate::faults::{Points, run};
use crate::service::{NAME, Signer, User};
use crate::world::{World, next};

const JOB: JobId = JobId::from_random([1; 16]);

/// Keeps nothing: the test has the store.
#[derive(Debug)]
struct Nowhere;

impl Keeper for Nowhere {
    fn keep(&self, _: &ades_session::store::JobRow) -> Result<(), ades_session::store::StoreError> {
        Ok(())
    }

    fn forget(&self, _: JobId) -> Result<(), ades_session::store::StoreError> {
        Ok(())
    }
}

fn keys() -> KeyRing {
    KeyRing::new(KeyId(1), RootKey::from_octets(Zeroizing::new([7; 32])))
}

/// The other program: it talks to the signer by itself.
struct Other {
    signer: Signer,
    job: SigningJob,
}

fn done<T, S>(step: StepResult<T, S>) -> T {
    match step.unwrap() {
        Step::Done(answer) => answer,
        _ => panic!("the user has confirmed"),
    }
}

fn redirected<T, S>(step: StepResult<T, S>) -> (String, ImportedTrip<S>) {
    match step.unwrap() {
        Step::Redirect { url, session, return_key, expires_at, .. } => {
            let trip = ImportedTrip::new(session).page(Some(url.clone()), return_key);
            (url, trip.expires_at(expires_at))
        }
        _ => panic!("an interactive signer redirects"),
    }
}

impl Other {
    fn new(world: &World) -> Self {
        let (service, points) = (Arc::clone(&world.service), Points::none());
        let signer = Signer { service, points, interactive: true, max_batch: 2 };
        Self { signer, job: world.job() }
    }

    /// The first two signatures, prepared.
    fn prepared(&self, world: &World, identity: &Identity) -> Vec<PendingSignature> {
        let prepared = self.job.items.iter().take(2).map(|item| {
            let octets = world.files.files.lock().unwrap()[&item.document].clone();
            let mut document = Document::from_bytes(&octets);
            ades::prepare(Inputs::new(&mut document), &identity.chain, &item.options).unwrap()
        });
        prepared.collect()
    }

    /// The world, with a driver's store that has the job at this position.
    fn import(&self, world: &mut World, states: &[PendingSignature], position: ImportedPosition) {
        let formats = [Format::Cades, Format::Xades, Format::Pades];
        let items = formats.into_iter().enumerate().map(|(no, format)| {
            let pending = states.get(no).map(|state| state.to_json(None).unwrap());
            ImportedItem::new(format).pending(pending).id(format!("o{no}"))
        });
        let imported = ImportedJob::new(self.job.clone(), items.collect(), position);
        let row = imported.into_row(JOB, NAME, &keys(), world.clock.now()).unwrap();
        let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
        world.store = Arc::new(MemoryStore::kept_by(Arc::new(Nowhere), [row], clock));
        world.max_batch = 2;
    }
}

/// Confirms what is left, without another identification.
fn finish(world: &World, outcome: Outcome, identifications: usize) {
    let driver = world.driver();
    let mut step = next(outcome);
    while let Next::Redirect { url, .. } = &step {
        let query = world.service.visit(url, User::Confirmed);
        step = next(run(driver.returned(&query, None)).unwrap().unwrap());
    }
    assert!(matches!(step, Next::Done { .. }), "{step:?}");
    world.check_done(JOB);
    assert_eq!(world.service.state().identifications.len(), identifications);
    assert_eq!(world.service.state().batches.len(), 2);
}

#[test]
fn an_identification_is_continued_by_its_page() {
    let mut world = World::new();
    let other = Other::new(&world);
    let request = IdentificationRequest::default();
    let (url, trip) = redirected(run(other.signer.identify(request)).unwrap());
    other.import(&mut world, &[], ImportedPosition::Identifying(trip));
    let query = world.service.visit(&url, User::Confirmed);
    let outcome = run(world.driver().returned(&query, None)).unwrap().unwrap();
    finish(&world, outcome, 1);
}

#[test]
fn each_later_stage_is_continued() {
    for stage in [Stage::Identified, Stage::Asking, Stage::Signing, Stage::Values] {
        let mut world = World::new();
        let other = Other::new(&world);
        let signer = &other.signer;
        let request = IdentificationRequest::default();
        let (url, trip) = redirected(run(signer.identify(request)).unwrap());
        world.service.visit(&url, User::Confirmed);
        let session = trip.session.clone();
        let identity = done(run(signer.continue_identification(session, Event::Poll)).unwrap());
        let states = other.prepared(&world, &identity);
        let items = states.iter().enumerate();
        let items =
            items.map(|(no, state)| SigningItem::new(format!("o{no}"), state.to_be_signed()));
        let request = SigningRequest::new(identity.clone(), items.collect());
        let driver = match stage {
            Stage::Identified => {
                other.import(&mut world, &[], ImportedPosition::Identified(identity));
                world.driver()
            }
            Stage::Asking => {
                other.import(&mut world, &states, ImportedPosition::Asking(identity));
                let driver = world.driver();
                let asked = next(run(driver.poll_now(JOB, None)).unwrap().unwrap());
                assert!(matches!(asked, Next::Stopped(ades_session::Stop::Unknown)), "{asked:?}");
                driver
            }
            Stage::Signing => {
                let (url, trip) = redirected(run(signer.sign(request)).unwrap());
                other.import(&mut world, &states, ImportedPosition::Signing(identity, trip));
                let driver = world.driver();
                let waits = next(run(driver.poll_now(JOB, None)).unwrap().unwrap());
                assert!(matches!(waits, Next::Wait { page: Some(_), .. }), "{waits:?}");
                world.service.visit(&url, User::Confirmed);
                driver
            }
            _ => {
                let (url, trip) = redirected(run(signer.sign(request)).unwrap());
                world.service.visit(&url, User::Confirmed);
                let values = run(signer.continue_signing(trip.session.clone(), Event::Poll));
                let values = done(values.unwrap()).into_iter().map(|value| value.value).collect();
                other.import(&mut world, &states, ImportedPosition::Values(identity, values));
                world.driver()
            }
        };
        let outcome = match stage {
            Stage::Asking => run(driver.ask_again(JOB, None)),
            _ => run(driver.poll_now(JOB, None)),
        };
        finish(&world, outcome.unwrap().unwrap(), 1);
    }
}

#[test]
fn parts_that_contradict_one_another_are_an_error() {
    let world = World::new();
    let other = Other::new(&world);
    let request = IdentificationRequest::default();
    let (url, trip) = redirected(run(other.signer.identify(request)).unwrap());
    world.service.visit(&url, User::Confirmed);
    let session = trip.session.clone();
    let identity = done(run(other.signer.continue_identification(session, Event::Poll)).unwrap());
    let state = other.prepared(&world, &identity).remove(0).to_json(None).unwrap();
    let item = || ImportedItem::new(Format::Cades);
    let asked = || vec![item().pending(Some(state.clone())), item(), item()];
    for (items, position) in [
        (vec![item()], ImportedPosition::Start),
        (asked(), ImportedPosition::Start),
        (vec![item(), item(), item()], ImportedPosition::Asking(identity.clone())),
        (asked(), ImportedPosition::Values(identity.clone(), Vec::new())),
    ] {
        let imported = ImportedJob::new(other.job.clone(), items, position);
        let error = imported.into_row(JOB, NAME, &keys(), world.clock.now()).unwrap_err();
        assert!(matches!(error, Error::Body { .. }), "{error:?}");
    }
}
