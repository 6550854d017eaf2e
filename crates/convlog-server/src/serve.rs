//! The sockets: plain or TLS, bounded headers, a graceful stop.

mod connections;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};

use axum_server::accept::DefaultAcceptor;
use axum_server::tls_rustls::RustlsAcceptor;
use axum_server::{Handle, Server};
use futures::future::try_join_all;
use hyper_util::rt::TokioTimer;

use self::connections::Connections;
use crate::app::App;
use crate::jobs;
use crate::lifecycle;
use crate::router::router;
use crate::tls::{self, TlsPem};

/// The least that the HTTP library reads headers with.
const HEADER_BYTES_MIN: usize = 8192;

/// Serves on listeners that are already bound, until `shutdown` ends: then no new requests are
/// taken, running ones finish, and background work ends.
///
/// # Errors
/// A certificate or key that cannot be used; a listener that fails.
pub async fn serve(
    app: App,
    listeners: Vec<TcpListener>,
    tls: Option<TlsPem>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let tls = match tls {
        Some(pem) => Some(tls::config(pem).await?),
        None => None,
    };
    if let Some(config) = &tls {
        app.set_tls(config.clone());
    }
    jobs::start(&app).await;
    lifecycle::started(&app).await;
    let handle = Handle::new();
    let stop = (app.clone(), handle.clone());
    let stopping = app.jobs().stopping();
    app.jobs().spawn(async move {
        let (app, handle) = stop;
        // A listener that fails ends the server too.
        tokio::select! {
            () = shutdown => {}
            () = stopping => {}
        }
        app.jobs().stop();
        handle.graceful_shutdown(Some(app.config().limits.stop_time));
    });
    let routes = router(app.clone());
    let connections = Connections::new(app.config().limits.connections);
    let servers = listeners.into_iter().map(|listener| {
        let service = routes.clone().into_make_service();
        let (app, handle, tls) = (app.clone(), handle.clone(), tls.clone());
        let connections = connections.clone();
        async move {
            listener.set_nonblocking(true)?;
            let server = bounded(axum_server::from_tcp(listener)?.handle(handle), &app);
            let server = server.acceptor(connections.clone());
            match tls {
                Some(config) => {
                    let acceptor = RustlsAcceptor::new(config).acceptor(connections);
                    server.acceptor(acceptor).serve(service).await
                }
                None => server.serve(service).await,
            }
        }
    });
    let served = try_join_all(servers).await;
    app.jobs().stop();
    app.jobs().ended(app.config().limits.stop_time).await;
    lifecycle::stopped(&app).await;
    served.map(|_| ())
}

/// Bounds that hold before a request has a route.
fn bounded(
    mut server: Server<SocketAddr, DefaultAcceptor>,
    app: &App,
) -> Server<SocketAddr, DefaultAcceptor> {
    let limits = &app.config().limits;
    let header_bytes = limits.header_bytes.max(HEADER_BYTES_MIN);
    let builder = server.http_builder();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(header_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX));
    server
}
