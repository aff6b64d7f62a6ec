//! `ades sandbox`, and the sandbox inside `sign`.

use std::net::TcpListener;
use std::path::PathBuf;

use itsme_sandbox::{Config, Sandbox, User};
use serde_json::json;

use crate::args::SandboxOptions;
use crate::exit::{BUG, DONE, Failure};
use crate::input::absolute;
use crate::output::{self, Existing, Readers};

pub(crate) fn run(options: &SandboxOptions) -> Result<u8, Failure> {
    let dir = options.dir.as_deref().map_or_else(default_dir, |dir| Ok(absolute(dir)))?;
    let config = Config {
        listen: options.listen,
        front_listen: options.front_listen,
        dir: Some(dir.clone()),
        auto_approve: options.auto_approve,
        auto_user: user(&options.user)?,
        ..Config::default()
    };
    runtime()?.block_on(async {
        let sandbox =
            Sandbox::start(config).await.map_err(|e| Failure::from(e).about(dir.display()))?;
        let file = dir.join("itsme.toml");
        let text = configuration(&sandbox)?;
        output::write_file(&file, text.as_bytes(), Readers::Usual, Existing::Replace)?;
        output::loud("SANDBOX: this is not itsme®, and nothing signed here has legal value.");
        let line = json!({
            "base_url": sandbox.base_url(),
            "front_url": sandbox.front_url(),
            "config": file,
            "root": dir.join("root.pem"),
        });
        output::print(format_args!("{line}\n"))?;
        tokio::signal::ctrl_c().await.map_err(|e| Failure::new(BUG, e.to_string()))?;
        sandbox.shutdown().await;
        Ok(DONE)
    })
}

/// The `itsme.toml` that leads to this sandbox; the files it names are in the
/// sandbox's folder.
pub(crate) fn configuration(sandbox: &Sandbox) -> Result<String, Failure> {
    let partner = Config::default();
    Ok(format!(
        "# The itsme sandbox: no real signatures.\n\
         base_url = \"{}\"\n\
         partner_code = \"{}\"\n\
         service_code = \"{}\"\n\
         redirect_url = \"http://127.0.0.1:{}/itsme/return\"\n\
         profile = \"test\"\n\
         allow_loopback_http = true\n\n\
         [client]\n\
         certificate = \"client.pem\"\n\n\
         [server]\n\
         ca = \"server-ca.pem\"\n",
        sandbox.base_url(),
        partner.partner_code,
        partner.service_code,
        free_port()?,
    ))
}

/// A port that nobody has at the moment, for the user's return.
fn free_port() -> Result<u16, Failure> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| Failure::input(format!("no free port: {e}")))
}

/// Where the sandbox lives if nobody says otherwise.
pub(crate) fn default_dir() -> Result<PathBuf, Failure> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || std::env::home_dir().map(|home| home.join(".local").join("share"));
    let data = data.or_else(home);
    let data = data.ok_or_else(|| Failure::usage("no home folder: --sandbox-dir is needed"))?;
    Ok(data.join("ades").join("sandbox"))
}

pub(crate) fn user(name: &str) -> Result<User, Failure> {
    User::ALL.into_iter().find(|user| user.name() == name).ok_or_else(|| {
        let names: Vec<&str> = User::ALL.iter().map(|user| user.name()).collect();
        Failure::usage(format!("no sandbox user {name:?}; there are {}", names.join(", ")))
    })
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::new(BUG, e.to_string()))
}
