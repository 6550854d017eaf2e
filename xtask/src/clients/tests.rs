//! How a script is run, with shell scripts that play both sides.

use std::collections::BTreeSet;

use super::*;
use crate::server::tests::script;

const READY: &str =
    "trap 'kill $!; exit 0' TERM; sleep 60 & echo listening on http://127.0.0.1:9; wait";

/// Runs a line of shell as the script; gives the outcome and what it wrote.
fn check(name: &str, line: &str) -> (Result<()>, String) {
    let (program, dir) = script(name, READY);
    let server = Server::start(&program, &dir, &[]).unwrap();
    let output = dir.join("script.log");
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .env("CONVLOG_LISTEN", "inherited by mistake");
    let result = run_script(command, &server, &program, &dir, &output);
    server.stop().unwrap();
    (result, fs::read_to_string(output).unwrap())
}

#[test]
fn every_script_exists_and_every_name_is_there_once() {
    let mut labels = BTreeSet::new();
    for client in CLIENTS {
        assert!(
            provision::scripts_dir().join(client.script).is_file(),
            "{}",
            client.script
        );
        assert!(labels.insert(label(client)), "{}", label(client));
    }
}

#[test]
fn a_script_finds_address_key_and_program() {
    let line = "echo $CONVLOG_URL; echo $CONVLOG_KEY; test -x $CONVLOG_BIN && echo program";
    let (result, text) = check("client-variables", line);
    result.unwrap();
    assert_eq!(
        text,
        format!("http://127.0.0.1:9\n{}\nprogram\n", server::ADMIN_KEY)
    );
}

#[test]
fn a_script_that_fails_shows_its_status_and_what_it_wrote() {
    let (result, text) = check("client-fails", "echo one; echo two >&2; exit 4");
    assert_eq!(
        result.unwrap_err().to_string(),
        "the script ended with exit status: 4"
    );
    assert_eq!(text, "one\ntwo\n");
}
