//! The contract of `Store`, run against a real PostgreSQL.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod server;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use ades_session::clock::{Clock, ManualClock, SystemClock};
use ades_session::contract;
use ades_session::contract::race::{self, Death};
use ades_session::store::{
    JobId, JobSelection, KeyId, NewJob, Sealed, Stage, Store, StoreError, When,
};
use ades_session_postgres::{Options, PostgresStore, migrate};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

use server::Postgres;

/// How long the nodes race.
const RACE: Duration = Duration::from_secs(3);
const NODES: u64 = 4;
/// How often all connections are cut while the nodes race.
const CUTS: u32 = 4;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn admin(server: &Postgres) -> Client {
    let (client, connection) =
        tokio_postgres::connect(&server.url("postgres"), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A new database for each store.
struct Databases<'a> {
    server: &'a Postgres,
    count: Cell<u32>,
}

impl Databases<'_> {
    /// The databases are copies of one that is migrated, which is faster.
    async fn open(&self, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, StoreError> {
        let count = self.count.get();
        self.count.set(count + 1);
        let name = format!("case_{count}");
        let sql = format!("CREATE DATABASE {name} TEMPLATE migrated");
        admin(self.server).await.batch_execute(&sql).await.unwrap();
        let options = Options::new().clock(clock).connections(2);
        Ok(Arc::new(options.open(&self.server.url(&name)).await?))
    }
}

/// One server for all: it takes longer to start than most cases take.
#[test]
#[ignore = "needs PostgreSQL"]
fn postgres_keeps_the_contract() {
    let server = Postgres::start();
    runtime().block_on(migrations(&server));
    let databases = Databases { server: &server, count: Cell::new(0) };
    runtime().block_on(contract::check(async |clock| databases.open(clock).await)).unwrap();
    runtime().block_on(contract::crash::check(async |clock| databases.open(clock).await)).unwrap();
    runtime().block_on(each_due_job_once(&databases));
    race_of_nodes(&server);
}

async fn migrations(server: &Postgres) {
    let client = admin(server).await;
    client.batch_execute("CREATE DATABASE migrated").await.unwrap();
    let url = server.url("migrated");
    let found = PostgresStore::open(&url).await.unwrap_err();
    assert!(matches!(found, StoreError::Schema { found: 0, needed: 1 }), "{found:?}");
    // Two nodes start at once; later a third one.
    let (one, two) = tokio::join!(migrate(&url), migrate(&url));
    one.unwrap();
    two.unwrap();
    migrate(&url).await.unwrap();
    PostgresStore::open(&url).await.unwrap();

    client.batch_execute("CREATE DATABASE newer TEMPLATE migrated").await.unwrap();
    let url = server.url("newer");
    let (newer, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    newer.batch_execute("UPDATE ades_meta SET schema = 2").await.unwrap();
    for found in [PostgresStore::open(&url).await.map(drop), migrate(&url).await] {
        let is_newer = matches!(found, Err(StoreError::Schema { found: 2, needed: 1 }));
        assert!(is_newer, "{found:?}");
    }
}

/// Several pollers at once: each due job goes to exactly one of them.
async fn each_due_job_once(databases: &Databases<'_>) {
    const JOBS: u32 = 60;
    let clock = Arc::new(ManualClock::new(contract::START));
    let store = databases.open(clock).await.unwrap();
    for n in 0..JOBS {
        let id = JobId::from_random(u128::from(n).to_be_bytes());
        let mut job = NewJob::new(id, "", n.to_string(), "", Sealed::new(KeyId(0), vec![]));
        job.due = Some(When::In(Duration::ZERO));
        store.create(job).await.unwrap();
    }
    let poll = |who: &'static str| {
        let store = Arc::clone(&store);
        async move {
            let mut jobs = Vec::new();
            loop {
                let leases = store
                    .lease_many(JobSelection::Due, 7, who, Duration::from_secs(60))
                    .await
                    .unwrap();
                if leases.is_empty() {
                    break jobs;
                }
                assert!(leases.iter().all(|lease| lease.stored.stage == Stage::Start));
                jobs.extend(leases.into_iter().map(|lease| lease.job()));
            }
        }
    };
    let (mut jobs, two) = tokio::join!(poll("one"), poll("two"));
    jobs.extend(two);
    jobs.sort();
    let all: Vec<JobId> =
        (0..JOBS).map(|n| JobId::from_random(u128::from(n).to_be_bytes())).collect();
    assert_eq!(jobs, all);
}

/// Nodes, each with connections of its own, that pause beyond their leases and die,
/// while an administrator cuts all connections. The clock is the database's.
fn race_of_nodes(server: &Postgres) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = race::ledger(folder.path().join("ledger"));
    let url = server.url("migrated");
    let runtime = runtime();
    let store = runtime.block_on(PostgresStore::open(&url)).unwrap();
    let start = SystemClock.now();
    let jobs = runtime.block_on(race::create(&store, 1, 8, 5)).unwrap();
    std::thread::scope(|scope| {
        for seed in 0..NODES {
            let (url, ledger, jobs) = (&url, &ledger, &jobs);
            scope.spawn(move || {
                self::runtime().block_on(async {
                    let store = Options::new().connections(2).open(url).await.unwrap();
                    race::work(&store, ledger, jobs, 100 + seed, Death::Drop, RACE).await.unwrap();
                });
            });
        }
        scope.spawn(|| {
            self::runtime().block_on(async {
                let client = admin(server).await;
                for _ in 0..CUTS {
                    tokio::time::sleep(RACE / (CUTS + 1)).await;
                    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                               WHERE datname = 'migrated'";
                    client.query(sql, &[]).await.unwrap();
                }
            });
        });
    });
    runtime.block_on(race::verify(&store, &ledger, &jobs)).unwrap();
    for job in &jobs {
        let stored = runtime.block_on(store.get(*job)).unwrap();
        assert!(stored.created_at >= start - chrono::TimeDelta::seconds(5), "{stored:?}");
    }
}

/// A node of the kill test, if this process was started as one.
#[test]
fn node() {
    session_kills::node(async |url| Ok(Arc::new(PostgresStore::open(url).await?) as Arc<_>));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn nothing_is_lost_or_doubled_when_nodes_are_killed() {
    let server = Postgres::start();
    let url = server.url("postgres");
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let store = runtime.block_on(async {
        migrate(&url).await.unwrap();
        PostgresStore::open(&url).await.unwrap()
    });
    session_kills::race(&url, Arc::new(store));
}
