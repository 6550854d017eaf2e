//! The start and the end of a server, played by small shell scripts.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// A directory of its own with a script that plays `convlog`.
pub(crate) fn script(name: &str, body: &str) -> (PathBuf, PathBuf) {
    let dir = shell::target_dir().unwrap().join("xtask-tests").join(name);
    if dir.exists() {
        fs::remove_dir_all(&dir).unwrap();
    }
    fs::create_dir_all(&dir).unwrap();
    let program = dir.join("convlog");
    fs::write(&program, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (program, dir)
}

#[test]
fn the_admin_key_has_the_documented_form() {
    let (id, secret) = ADMIN_KEY.split_once('.').unwrap();
    assert!((16..=32).contains(&id.len()) && (32..=64).contains(&secret.len()));
    assert!(
        id.bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    );
    assert!(
        secret
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
    );
}

#[test]
fn a_server_that_says_it_is_ready_has_an_address_and_stops() {
    let body = "trap 'kill $!; exit 0' TERM; sleep 60 & echo hello; \
                echo listening on http://127.0.0.1:9; wait";
    let (program, dir) = script("ready", body);
    let server = Server::start(&program, &dir, &[]).unwrap();
    assert_eq!(server.url, "http://127.0.0.1:9");
    server.stop().unwrap();
}

#[test]
fn a_server_gets_its_directory_and_key_and_no_other_variable_of_ours() {
    let body = "echo \"$@\" >arguments; env | grep CONVLOG_ >variables; \
                echo listening on http://127.0.0.1:9";
    let (program, dir) = script("arguments", body);
    let mut server = Server::start(&program, &dir, &["--allow-plaintext"]).unwrap();
    wait(&mut server.child, STOP_WAIT_MAX).unwrap();
    let arguments = fs::read_to_string(dir.join("arguments")).unwrap();
    let data = dir.join("data").display().to_string();
    let expected = format!("serve --data-dir {data} --listen 127.0.0.1:0 --allow-plaintext\n");
    assert_eq!(arguments, expected);
    let variables = fs::read_to_string(dir.join("variables")).unwrap();
    assert_eq!(variables, format!("CONVLOG_ADMIN_KEY={ADMIN_KEY}\n"));
}

#[test]
fn a_server_that_ends_at_once_shows_its_log() {
    let (program, dir) = script("ends", "echo the directory is locked >&2; exit 1");
    let error = Server::start(&program, &dir, &[]).unwrap_err().to_string();
    let expected = "ended before its ready line; the server's log:\nthe directory is locked\n";
    assert_eq!(error, expected);
}

#[test]
fn a_server_that_stops_with_an_error_is_named() {
    let body = "trap 'kill $!; echo lost >&2; exit 3' TERM; sleep 60 & \
                echo listening on http://127.0.0.1:9; wait";
    let (program, dir) = script("stops-badly", body);
    let server = Server::start(&program, &dir, &[]).unwrap();
    let error = server.stop().unwrap_err().to_string();
    assert_eq!(error, "the server ended with exit status: 3:\nlost\n");
}
