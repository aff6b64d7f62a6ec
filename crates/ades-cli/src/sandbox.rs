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
    let mut config = Config::default()
        .listen(options.listen)
        .front_listen(options.front_listen)
        .public_host(options.public_host.clone())
        .dir(dir.clone())
        .mutual_tls(!options.no_mutual_tls)
        .auto_approve(options.auto_approve)
        .auto_user(user(&options.user)?)
        .batch(!options.no_batch);
    if let Some(code) = &options.partner_code {
        config.partner_code.clone_from(code);
    }
    if let Some(code) = &options.service_code {
        config.service_code.clone_from(code);
    }
    if !options.redirect_url.is_empty() {
        config.redirect_urls.clone_from(&options.redirect_url);
    }
    runtime()?.block_on(async {
        let told = told_to_end().map_err(|e| Failure::new(BUG, e.to_string()))?;
        let sandbox = Sandbox::start(config).await?;
        let file = dir.join("itsme.toml");
        let redirect_url = match options.redirect_url.first() {
            Some(url) => url.clone(),
            None => own_redirect_url()?,
        };
        let text = configuration(&sandbox, &redirect_url);
        output::write_file(&file, text.as_bytes(), Readers::Usual, Existing::Replace)?;
        output::loud("SANDBOX: this is not itsme®, and nothing signed here has legal value.");
        let line = json!({
            "base_url": sandbox.base_url(),
            "front_url": sandbox.front_url(),
            "config": file,
            "root": dir.join("root.pem"),
        });
        output::print(format_args!("{line}\n"))?;
        told.await;
        sandbox.shutdown().await;
        Ok(DONE)
    })
}

/// Listens from now on: ends by Ctrl-C, or as containers are told.
#[cfg(unix)]
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

/// The `itsme.toml` that leads to this sandbox; the files it names are in the
/// sandbox's folder.
pub(crate) fn configuration(sandbox: &Sandbox, redirect_url: &str) -> String {
    let config = sandbox.config();
    let mut text = String::from("# The itsme sandbox: no real signatures.\n");
    for (key, value) in [
        ("base_url", sandbox.base_url()),
        ("partner_code", &config.partner_code),
        ("service_code", &config.service_code),
        ("redirect_url", redirect_url),
    ] {
        // JSON's strings are TOML's.
        text.push_str(&format!("{key} = {}\n", json!(value)));
    }
    text.push_str("profile = \"test\"\nallow_loopback_http = true\n");
    if config.mutual_tls {
        text.push_str("\n[client]\ncertificate = \"client.pem\"\n");
    }
    text.push_str("\n[server]\nca = \"server-ca.pem\"\n");
    if !config.batch {
        text.push_str("\n[limits]\nbatch = 1\n");
    }
    text
}

/// Where `ades` itself waits for the user's return.
pub(crate) fn own_redirect_url() -> Result<String, Failure> {
    Ok(format!("http://127.0.0.1:{}/itsme/return", free_port()?))
}

/// A port that nobody has at the moment, for the user's return.
pub(crate) fn free_port() -> Result<u16, Failure> {
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
