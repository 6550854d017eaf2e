//! `convlog serve`: opens the data directory, binds every address, says so, and serves until it is
//! told to stop.

use std::net::{SocketAddr, TcpListener};

use anyhow::{Context, Result};
use convlog_server::error::Fault;
use convlog_server::{App, TlsPem};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, Environment, Flags, TlsFiles, address};
use crate::engine;
use crate::logging;
use crate::out::{self, wrong_use};

/// Runs the server.
pub(crate) async fn run(flags: &Flags, environment: &Environment) -> Result<()> {
    let mut config = Config::load(flags, environment)?;
    logging::start(config.log_format, &config.log_filter)?;
    let tls = config.tls.as_ref().map(read_tls).transpose()?;
    config.read_secrets()?;
    // Asked for before anything is said, so that no signal after the ready line is missed.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!("stopping on {name}");
    };
    // First, so that a second server is told about the directory and not about the port.
    let opened = engine::open(&config).await?;
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, data_dir = %config.data_dir.display(), "data directory is open");
    let result = serve(&config, environment, tls, &opened.app, stop).await;
    let closed = opened.close().await;
    result.and(closed)
}

async fn serve(
    config: &Config,
    environment: &Environment,
    tls: Option<TlsPem>,
    app: &App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let listeners = bind(&config.listen)?;
    let admin_key = environment.get("CONVLOG_ADMIN_KEY").map(str::to_owned);
    if let Some(key) = first_start(app, admin_key).await? {
        out::line(&format!("admin key: {key}"))?;
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    for listener in &listeners {
        out::line(&format!(
            "listening on {scheme}://{}",
            listener.local_addr()?
        ))?;
    }
    if let Some(files) = config.tls.clone() {
        reload_on_hangup(app, files)?;
    }
    let served = convlog_server::serve(app.clone(), listeners, tls, stop).await;
    served.context("the server failed")?;
    tracing::info!("stopped");
    Ok(())
}

/// Makes the first instance and key. A malformed key in the environment is wrong use.
pub(crate) async fn first_start(app: &App, key: Option<String>) -> Result<Option<String>> {
    app.first_start(key).await.map_err(|fault| match fault {
        Fault::BadRequest { message, .. } => wrong_use(format!("CONVLOG_ADMIN_KEY: {message}")),
        other => engine::failure(&other),
    })
}

/// All addresses, in order, before any is served.
pub(crate) fn bind(addresses: &[String]) -> Result<Vec<TcpListener>> {
    let bind_one = |text: &String| {
        let address: SocketAddr = address(text)?;
        TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))
    };
    addresses.iter().map(bind_one).collect()
}

fn read_tls(files: &TlsFiles) -> Result<TlsPem> {
    let read = |key: &str, path: &std::path::Path| {
        std::fs::read(path).with_context(|| format!("cannot read `{key}` {}", path.display()))
    };
    Ok(TlsPem {
        cert: read("tls.cert", &files.cert)?,
        key: read("tls.key", &files.key)?,
    })
}

/// A certificate that cannot be read leaves the old one in use.
fn reload_on_hangup(app: &App, files: TlsFiles) -> Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let stopping = app.jobs().stopping();
    let reloading = app.clone();
    app.jobs().spawn(async move {
        let mut stopping = std::pin::pin!(stopping);
        loop {
            tokio::select! {
                () = &mut stopping => return,
                _ = hangup.recv() => {}
            }
            let result = match read_tls(&files) {
                Ok(pem) => reloading.reload_tls(pem).await.map_err(Into::into),
                Err(error) => Err(error),
            };
            match result {
                Ok(()) => tracing::info!("certificate reloaded"),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(error, "certificate not reloaded, the old one stays");
                }
            }
        }
    });
    Ok(())
}
