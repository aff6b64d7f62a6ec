//! A PostgreSQL server for tests: Debian's package, a new cluster in a temporary
//! folder, reached through a Unix socket.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A running server. Dropping it stops the server.
#[derive(Debug)]
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: TempDir,
}

impl Postgres {
    /// Makes a cluster and starts a server, which takes a second or two.
    ///
    /// # Panics
    /// If PostgreSQL is not installed, or does not start.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("ades-pg").tempdir().unwrap();
        let server = Self { programs: programs(), folder };
        if is_root() {
            // PostgreSQL refuses to run as root.
            let nobody = server.path().to_str().unwrap();
            run(Command::new("chown").args(["nobody:nogroup", nobody]));
        }
        run(server.program("initdb").arg("-D").arg(server.data()).args([
            "--auth=trust",
            "--username=ades",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
        ]));
        // Nothing of this survives a power failure, and need not.
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c fsync=off -c max_connections=100",
            server.path().display()
        );
        run(server
            .program("pg_ctl")
            .arg("-D")
            .arg(server.data())
            .args(["-w", "-t", "60", "-l"])
            .arg(server.path().join("log"))
            .args(["-o", &options, "start"]));
        server
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The connection string of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("host={} user=ades dbname={database}", self.path().display())
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.path()).env("HOME", self.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        stop.arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "stop"]);
        drop(stop.output());
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

/// The folder of `initdb` and `pg_ctl`: Debian has one for each version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok();
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    versions
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .max_by_key(version)
        .map(|folder| folder.join("bin"))
        .expect("PostgreSQL is not installed: install the Debian package postgresql")
}

fn run(command: &mut Command) {
    // A server that stays would keep a pipe open; hence files for its output.
    let output = tempfile::tempfile().unwrap();
    let errors = output.try_clone().unwrap();
    let status = command.stdout(output.try_clone().unwrap()).stderr(errors).status().unwrap();
    if !status.success() {
        use std::io::{Read, Seek};
        let mut output = output;
        let mut text = String::new();
        output.rewind().unwrap();
        output.read_to_string(&mut text).unwrap();
        panic!("{command:?} failed: {text}");
    }
}
