//! Real sockets: plain, TLS, exchange of certificates, bounds of headers, a graceful stop.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use convlog_server::{ServerConfig, TlsPem, serve};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::harness::{ADMIN, Server};

const ONE_CERT: &[u8] = include_bytes!("tls/one.cert.pem");
const ONE_KEY: &[u8] = include_bytes!("tls/one.key.pem");
const TWO_CERT: &[u8] = include_bytes!("tls/two.cert.pem");
const TWO_KEY: &[u8] = include_bytes!("tls/two.key.pem");

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
    server: Server,
}

async fn run(config: ServerConfig, tls: Option<TlsPem>) -> Running {
    let server = Server::with(config).await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        stopped.await.unwrap();
    };
    let served = serve(server.app.clone(), vec![listener], tls, shutdown);
    #[expect(clippy::disallowed_methods, reason = "the test is the program here")]
    let served = tokio::spawn(served);
    Running {
        address,
        stop: Some(stop),
        served,
        server,
    }
}

impl Running {
    async fn end(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

fn one() -> TlsPem {
    TlsPem {
        cert: ONE_CERT.to_vec(),
        key: ONE_KEY.to_vec(),
    }
}

fn two() -> TlsPem {
    TlsPem {
        cert: TWO_CERT.to_vec(),
        key: TWO_KEY.to_vec(),
    }
}

/// A client that trusts one certificate, with connections of its own.
fn trusting(cert: &[u8]) -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .tls_built_in_root_certs(false)
        .add_root_certificate(reqwest::Certificate::from_pem(cert).unwrap())
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_plain_server_answers_and_stops() {
    let running = run(ServerConfig::default(), None).await;
    let url = format!("http://{}/convlog/v1/keys", running.address);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(&url).bearer_auth(ADMIN).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let address = running.address;
    running.end().await;
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn certificates_are_exchanged_while_the_server_runs() {
    let running = run(ServerConfig::default(), Some(one())).await;
    let url = format!("https://{}/health/live", running.address);
    assert_eq!(
        trusting(ONE_CERT).get(&url).send().await.unwrap().status(),
        200
    );
    assert!(trusting(TWO_CERT).get(&url).send().await.is_err());
    let broken = TlsPem {
        cert: b"no certificate".to_vec(),
        key: TWO_KEY.to_vec(),
    };
    assert!(running.server.app.reload_tls(broken).await.is_err());
    assert_eq!(
        trusting(ONE_CERT).get(&url).send().await.unwrap().status(),
        200
    );
    running.server.app.reload_tls(two()).await.unwrap();
    assert_eq!(
        trusting(TWO_CERT).get(&url).send().await.unwrap().status(),
        200
    );
    assert!(trusting(ONE_CERT).get(&url).send().await.is_err());
    running.end().await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_ends_the_start() {
    let server = Server::start().await;
    let pem = TlsPem {
        cert: ONE_CERT.to_vec(),
        key: TWO_CERT.to_vec(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let served = serve(
        server.app,
        vec![listener],
        Some(pem),
        std::future::pending(),
    );
    assert!(served.await.is_err());
}

#[tokio::test]
async fn headers_beyond_the_bound_are_431() {
    let running = run(ServerConfig::default(), None).await;
    let address = running.address;
    let answer = tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(address).unwrap();
        let long = "x".repeat(40 << 10);
        let request = format!("GET /health/live HTTP/1.1\r\nhost: x\r\nlong: {long}\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).unwrap();
        String::from_utf8(answer.to_vec()).unwrap()
    });
    assert_eq!(answer.await.unwrap(), "HTTP/1.1 431");
    running.end().await;
}

#[tokio::test]
async fn a_client_that_does_not_send_its_headers_is_cut_off() {
    let mut config = ServerConfig::default();
    config.limits.header_time = Duration::from_millis(50);
    let running = run(config, None).await;
    let address = running.address;
    let rest = tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.write_all(b"GET /health/live HTTP/1.1\r\n").unwrap();
        let mut rest = Vec::new();
        socket.read_to_end(&mut rest).unwrap();
        rest
    });
    let rest = String::from_utf8(rest.await.unwrap()).unwrap();
    assert!(
        rest.is_empty() || rest.starts_with("HTTP/1.1 408"),
        "{rest}"
    );
    running.end().await;
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_stop() {
    let running = run(ServerConfig::default(), None).await;
    let address = running.address;
    let (half, was_half) = oneshot::channel::<()>();
    let (go, may_go) = oneshot::channel::<()>();
    let client = tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(address).unwrap();
        let body = r#"{"roles":["read"]}"#;
        let head = format!(
            "POST /convlog/v1/keys HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN}\r\n\
             content-length: {}\r\nexpect: 100-continue\r\n\r\n",
            body.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        // The handler asks for the body: the request is under way.
        let mut interim = [0; 25];
        socket.read_exact(&mut interim).unwrap();
        assert!(interim.starts_with(b"HTTP/1.1 100 Continue"));
        half.send(()).unwrap();
        may_go.blocking_recv().unwrap();
        socket.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    });
    was_half.await.unwrap();
    let stopping = running.server.app.jobs().stopping();
    let ended = running.end();
    let (answer, ()) = tokio::join!(
        async {
            stopping.await;
            go.send(()).unwrap();
            client.await.unwrap()
        },
        ended
    );
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

#[tokio::test]
async fn a_connection_too_many_is_closed_and_its_slot_comes_back() {
    let mut config = ServerConfig::default();
    config.limits.connections = 1;
    let running = run(config, None).await;
    let address = running.address;
    let client = tokio::task::spawn_blocking(move || {
        let mut first = TcpStream::connect(address).unwrap();
        let request = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
        first.write_all(request).unwrap();
        let mut status = [0; 12];
        first.read_exact(&mut status).unwrap();
        let mut second = TcpStream::connect(address).unwrap();
        let refused = second.read(&mut [0; 1]);
        assert!(refused.is_err() || refused.unwrap() == 0);
        drop(first);
        // The slot comes back as soon as the server has seen the end of the first connection.
        loop {
            let mut next = TcpStream::connect(address).unwrap();
            let sent = next.write_all(request);
            if sent.is_ok() && next.read_exact(&mut status).is_ok() {
                return status;
            }
        }
    });
    assert_eq!(&client.await.unwrap(), b"HTTP/1.1 200");
    running.end().await;
}
