//! `ades sandbox`: runs the itsme® sandbox until a signal ends it.

use itsme_sandbox::Sandbox;
use serde_json::json;

use super::runtime;
use crate::args::SandboxArgs;
use crate::exit::{BUG, DONE, Failure};
use crate::output::{self, Existing, Readers};
use crate::path_name::absolute;
use crate::sandbox::{configuration, default_dir, own_redirect_url};

pub(crate) fn run(args: &SandboxArgs) -> Result<u8, Failure> {
    let dir = args.dir.as_deref().map_or_else(default_dir, |dir| Ok(absolute(dir)))?;
    let config = args.config(dir.clone())?;
    runtime()?.block_on(async {
        let terminated = termination().map_err(|e| Failure::new(BUG, e.to_string()))?;
        let sandbox = Sandbox::start(config).await?;
        let file = dir.join("itsme.toml");
        let redirect_url = match args.redirect_url.first() {
            Some(url) => url.clone(),
            None => own_redirect_url()?,
        };
        let text = configuration(&sandbox, &redirect_url);
        output::write_file(&file, text.as_bytes(), Readers::Usual, Existing::Replace)?;
        output::print_always(
            "SANDBOX: this is not itsme®; nothing that is signed here has legal value.",
        );
        let evidence = sandbox.evidence_urls().into_iter();
        let evidence = evidence.map(|(service, url)| json!({ "service": service, "url": url }));
        let line = json!({
            "base_url": sandbox.base_url(),
            "front_url": sandbox.front_url(),
            "config": file,
            "root": dir.join("root.pem"),
            "tsa_url": sandbox.time_stamping_url(),
            "evidence": evidence.collect::<Vec<_>>(),
        });
        output::print(format_args!("{line}\n"))?;
        terminated.await;
        sandbox.shutdown().await;
        Ok(DONE)
    })
}

/// Ends on Ctrl-C, or on SIGTERM, which container runtimes send. Signals count from this call on.
#[cfg(unix)]
fn termination() -> std::io::Result<impl Future<Output = ()>> {
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
fn termination() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
