//! The itsme® sandbox: as a program of its own, and embedded in `ades sign`.

use std::net::TcpListener;
use std::path::PathBuf;

use itsme_sandbox::{EvidenceFault, EvidenceService, Sandbox, User};
use serde_json::json;

use crate::exit::Failure;

/// The content of the `itsme.toml` for this sandbox. The files that it names are in the sandbox's
/// folder.
pub(crate) fn configuration(sandbox: &Sandbox, redirect_url: &str) -> String {
    let config = sandbox.config();
    let mut text = String::from("# The itsme sandbox: no real signatures.\n");
    for (key, value) in [
        ("base_url", sandbox.base_url()),
        ("partner_code", &config.partner_code),
        ("service_code", &config.service_code),
        ("redirect_url", redirect_url),
    ] {
        // A JSON string is a TOML string.
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

/// The URL at which `ades` itself waits for the user's return.
pub(crate) fn own_redirect_url() -> Result<String, Failure> {
    Ok(format!("http://127.0.0.1:{}/itsme/return", free_port()?))
}

/// A port that is free at the moment, for the user's return.
pub(crate) fn free_port() -> Result<u16, Failure> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| Failure::input(format!("there is no free port: {e}")))
}

/// The sandbox's default folder.
pub(crate) fn default_dir() -> Result<PathBuf, Failure> {
    data_dir("sandbox")
}

/// A folder below that of the user's data.
pub(crate) fn data_dir(name: &str) -> Result<PathBuf, Failure> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || std::env::home_dir().map(|home| home.join(".local").join("share"));
    let data = data.or_else(home);
    let data = data.ok_or_else(|| {
        let option = if name == "sandbox" { "--sandbox-dir" } else { "--dir" };
        Failure::usage(format!("there is no home folder: name a folder with {option}"))
    })?;
    Ok(data.join("ades").join(name))
}

/// The sandbox's test user of this name.
pub(crate) fn user(name: &str) -> Result<User, Failure> {
    User::ALL.into_iter().find(|user| user.name() == name).ok_or_else(|| {
        let names: Vec<&str> = User::ALL.iter().map(|user| user.name()).collect();
        Failure::usage(format!(
            "there is no sandbox user {name:?}; the users are {}",
            names.join(", ")
        ))
    })
}

/// `SERVICE=FAULT` of an evidence service: the name of a fault, or its JSON.
pub(crate) fn evidence_fault(text: &str) -> Result<(EvidenceService, EvidenceFault), String> {
    let (name, fault) = text.split_once('=').ok_or("write it as SERVICE=FAULT")?;
    let services = EvidenceService::ALL;
    let service = services.into_iter().find(|service| service.name() == name).ok_or_else(|| {
        let names: Vec<&str> = services.iter().map(|service| service.name()).collect();
        format!("there is no evidence service {name:?}; the services are {}", names.join(", "))
    })?;
    let fault = match fault.starts_with('{') {
        true => serde_json::from_str(fault),
        false => serde_json::from_value(json!({ "kind": fault })),
    };
    let fault: EvidenceFault = fault.map_err(|error| error.to_string())?;
    match fault.fits(service) {
        true => Ok((service, fault)),
        false => Err(format!("the service {name} cannot have this fault")),
    }
}
