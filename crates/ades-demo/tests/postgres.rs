//! The application with a PostgreSQL server that the test starts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod common;
#[path = "../../ades-session-postgres/tests/postgres/server.rs"]
mod server;
#[path = "common/trips.rs"]
mod trips;

#[test]
fn three_documents_are_signed_whenever_the_server_is_killed() {
    let server = server::Postgres::start();
    trips::sign_three_documents(Some(server.url("postgres")));
}
