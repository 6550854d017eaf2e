//! TLS, and which connections the process opens.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use crate::harness::{Server, Start, echo_bot, finish, log_lines, program, scratch};

/// Sockets of the process that are neither listening nor accepted by a listener: (file, line).
fn foreign_sockets(server: &Server) -> Vec<String> {
    let id = server.id();
    let mut inodes = BTreeSet::new();
    for entry in fs::read_dir(format!("/proc/{id}/fd")).unwrap() {
        // One may have been closed meanwhile.
        let Ok(target) = fs::read_link(entry.unwrap().path()) else {
            continue;
        };
        let target = target.to_string_lossy().into_owned();
        if let Some(inode) = target.strip_prefix("socket:[") {
            inodes.insert(inode.trim_end_matches(']').to_owned());
        }
    }
    let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let own_port = format!(":{port:04X}");
    let mut foreign = Vec::new();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = fs::read_to_string(format!("/proc/{id}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_own = fields.get(9).is_some_and(|inode| inodes.contains(*inode));
            let is_accepted = table.starts_with("tcp") && fields[1].ends_with(&own_port);
            if is_own && !is_accepted {
                foreign.push(format!("{table}: {line}"));
            }
        }
    }
    foreign
}

#[test]
fn a_server_as_it_comes_opens_no_outgoing_connection() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    assert_eq!(
        foreign_sockets(&server),
        Vec::<String>::new(),
        "after the start"
    );
    echo_bot(&server, "echo");
    let message = json!({"input": {"text": "hello"}});
    server.send(
        "POST",
        "/v1/workspaces/echo/message?version=2021-11-27",
        &message,
    );
    server.load("watson-v1", &log_lines("shop", 50));
    server.cli(["query"]).ok();
    server.cli(["export", "-o", "all.jsonl"]).ok();
    server.cli(["erase", "--customer", "nobody"]).ok();
    assert_eq!(foreign_sockets(&server), Vec::<String>::new(), "after work");
    assert!(!server.export().is_empty());
}

/// A certificate for 127.0.0.1, signed by itself, as `name.cert` and `name.key`.
fn certificate(dir: &std::path::Path, name: &str) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    fs::write(dir.join(format!("{name}.cert")), made.cert.pem()).unwrap();
    fs::write(
        dir.join(format!("{name}.key")),
        made.signing_key.serialize_pem(),
    )
    .unwrap();
}

#[test]
fn tls_is_spoken_and_exchanged_on_sighup() {
    let dir = scratch();
    for name in ["used", "next"] {
        certificate(dir.path(), name);
    }
    let use_it = |name: &str| {
        for kind in ["cert", "key"] {
            let from = dir.path().join(format!("{name}.{kind}"));
            fs::copy(from, dir.path().join(format!("tls.{kind}"))).unwrap();
        }
    };
    use_it("used");
    let server = Start::on(dir.path())
        .env("CONVLOG_TLS_CERT", "tls.cert")
        .env("CONVLOG_TLS_KEY", "tls.key")
        .server();
    assert!(
        server.url.starts_with("https://127.0.0.1:"),
        "{}",
        server.url
    );
    let trusting = |name: &str| {
        let ca = format!("{name}.cert");
        server.cli(["bots", "list", "--ca", &ca]).status
    };
    assert_eq!((trusting("used"), trusting("next")), (0, 1));
    use_it("next");
    server.signal("HUP");
    crate::harness::eventually(|| (trusting("next") == 0).then_some(()));
    assert_eq!(trusting("used"), 1);
    server.stop();
}

#[test]
fn a_certificate_that_is_not_there_is_named() {
    let dir = scratch();
    let said = Start::on(dir.path())
        .env("CONVLOG_TLS_CERT", "none.pem")
        .env("CONVLOG_TLS_KEY", "none.key")
        .fail();
    assert_eq!(said.status, 1);
    assert!(
        said.stderr.contains("cannot read `tls.cert` none.pem"),
        "{said:?}"
    );
    let said = finish(
        program(dir.path())
            .args(["serve"])
            .env("CONVLOG_TLS_CERT", "none.pem"),
    );
    assert_eq!(said.status, 2);
    assert!(
        said.stderr
            .contains("`tls.cert` and `tls.key` are only useful together"),
        "{said:?}"
    );
}
