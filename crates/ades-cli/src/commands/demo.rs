//! `ades demo`: a small signing application in the browser, with a sandbox or with itsme®.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ades::itsme::{Config as ItsmeConfig, ItsmeSigner};
use ades_demo::{Config, Demo};
use itsme_sandbox::Sandbox;
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use super::runtime;
use crate::args::{DemoArgs, unknown_signer};
use crate::exit::{DONE, Failure};
use crate::output;
use crate::path_name::absolute;
use crate::sandbox::{configuration, data_dir, default_dir};

/// The environment variable that names a PostgreSQL database.
const DATABASE: &str = "ADES_DEMO_DATABASE";
/// The path of the user's return in the application.
const RETURN: &str = "/return";

/// Where the signatures come from.
struct Signer {
    config: ItsmeConfig,
    /// Runs as long as this is there
    sandbox: Option<Sandbox>,
}

pub(crate) fn run(args: &DemoArgs) -> Result<u8, Failure> {
    let dir = args.dir.as_deref().map_or_else(|| data_dir("demo"), |dir| Ok(absolute(dir)))?;
    runtime()?.block_on(async {
        let listener = TcpListener::bind(args.listen).await;
        let listener =
            listener.map_err(|e| Failure::input(format!("--listen {}: {e}", args.listen)))?;
        let address = listener.local_addr().map_err(|e| Failure::input(e.to_string()))?;
        let signer = open_signer(args, address).await?;
        let config = configure(&signer, dir)?;
        let url = config.public_url.clone();
        let itsme = Arc::new(ItsmeSigner::new(signer.config)?);
        let demo = Demo::open(config, itsme).await;
        let demo = demo.map_err(|e| Failure::input(e.to_string()))?;
        if signer.sandbox.is_some() {
            output::print_always(
                "SANDBOX: this is not itsme®; nothing that is signed here has legal value.",
            );
        }
        output::print_always(format_args!("open {url}/ in a browser; Ctrl-C ends it"));
        output::print(format_args!("{}\n", json!({ "url": url, "listen": address })))?;
        demo.serve(listener).await.map_err(|e| Failure::input(e.to_string()))?;
        Ok(DONE)
    })
}

async fn open_signer(args: &DemoArgs, address: SocketAddr) -> Result<Signer, Failure> {
    match args.signer.split_once(':') {
        None if args.signer == "sandbox" => {
            let back = format!("http://{}{RETURN}", reachable(address));
            let dir = default_dir()?;
            let config = itsme_sandbox::Config::default().dir(dir.clone());
            let sandbox = Sandbox::start(config.redirect_urls(vec![back.clone()])).await?;
            let config = ItsmeConfig::from_toml(&configuration(&sandbox, &back), &dir)?;
            Ok(Signer { config, sandbox: Some(sandbox) })
        }
        Some(("itsme", path)) if !path.is_empty() => {
            let config = ItsmeConfig::load(Path::new(path));
            let config = config.map_err(|e| Failure::from(e).about(path))?;
            Ok(Signer { config, sandbox: None })
        }
        _ => Err(unknown_signer(&args.signer)),
    }
}

/// The application is at the address to which itsme® sends the browser back.
fn configure(signer: &Signer, dir: PathBuf) -> Result<Config, Failure> {
    let settings = signer.config.settings();
    let public_url = settings.redirect_url.strip_suffix(RETURN).ok_or_else(|| {
        let found = &settings.redirect_url;
        Failure::usage(format!("redirect_url is {found:?}: for this command it ends with {RETURN}"))
    })?;
    // A sandbox on this machine has pages without TLS.
    let base = Url::parse(&settings.base_url).ok();
    let is_local = base.is_some_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    });
    let pages = match &signer.sandbox {
        Some(sandbox) => sandbox.front_url().to_owned(),
        None if is_local => "http://127.0.0.1:* https:".to_owned(),
        None => "https:".to_owned(),
    };
    let config = Config::new(dir, public_url).signer_pages(pages).sandbox(is_local);
    Ok(config.database(std::env::var(DATABASE).ok().filter(|url| !url.is_empty())))
}

/// An address that a browser on this machine can open.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    address
}
