//! Start, stop, addresses, keys and configuration of the real process.

use std::fs;

use serde_json::json;

use crate::harness::{KEY, Start, echo_bot, finish, log_lines, program, scratch};

#[test]
fn the_first_start_prints_a_key_once_and_then_the_ready_line() {
    let dir = scratch();
    let start = || Start::bare(dir.path()).args(["--listen", "127.0.0.1:0"]);
    let server = start().server();
    assert_eq!(server.lines.len(), 2, "{:?}", server.lines);
    let key = server.lines[0]
        .strip_prefix("admin key: ")
        .unwrap()
        .to_owned();
    let (id, secret) = key.split_once('.').unwrap();
    assert!((16..=32).contains(&id.len()) && (32..=64).contains(&secret.len()));
    assert!(server.lines[1].starts_with("listening on http://127.0.0.1:"));
    let server = server.with_key(&key);
    assert_eq!(server.get("/convlog/v1/keys")["keys"][0]["id"], id);
    assert!(!server.log().contains(secret));
    server.stop();
    assert!(
        dir.path().join("convlog-data").is_dir(),
        "the default data directory"
    );
    let again = start().server();
    assert_eq!(again.lines.len(), 1, "{:?}", again.lines);
    again.with_key(&key).get("/convlog/v1/keys");
}

#[test]
fn a_given_admin_key_is_made_and_not_printed() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    assert_eq!(server.lines.len(), 1, "{:?}", server.lines);
    server.get("/convlog/v1/keys");
    server.stop();
    let other = "OTHEROTHEROTHER1.0123456789012345678901234567890123456789";
    let again = Start::on(dir.path())
        .env("CONVLOG_ADMIN_KEY", other)
        .server();
    again.get("/convlog/v1/keys");
    let refused = again
        .with_key(other)
        .client()
        .request("GET", "/convlog/v1/keys", "");
    assert_eq!(refused.unwrap().0, 401);
}

#[test]
fn a_malformed_admin_key_is_wrong_use() {
    let dir = scratch();
    let said = Start::on(dir.path())
        .env("CONVLOG_ADMIN_KEY", "short")
        .fail();
    assert_eq!(said.status, 2);
    assert!(
        said.stderr
            .contains("CONVLOG_ADMIN_KEY: the admin key must be ID.SECRET"),
        "{said:?}"
    );
}

#[test]
fn health_and_metrics_need_no_key() {
    let dir = scratch();
    let server = Start::on(dir.path()).server().with_key("");
    for path in ["/health/live", "/health/ready", "/metrics"] {
        let (status, text) = server.client().request("GET", path, "").unwrap();
        assert_eq!(status, 200, "{path}: {text}");
    }
}

#[test]
fn listeners_are_named_in_order() {
    let dir = scratch();
    let more = ["--listen", "127.0.0.1:0", "--listen", "localhost:0"];
    let server = Start::on(dir.path()).args(more).listeners(3).server();
    assert_eq!(server.urls().len(), 3);
    for url in server.urls() {
        let said = finish(program(dir.path()).args(["bots", "list", "--url", &url, "--key", KEY]));
        assert_eq!(said.status, 0, "{said:?}");
    }
}

#[test]
fn a_second_server_on_the_directory_is_refused() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let said = Start::on(dir.path()).fail();
    assert_eq!(said.status, 1);
    assert_eq!(
        said.stderr.lines().last().unwrap(),
        "error: cannot open the data directory data: the data directory is in use by another process"
    );
    server.get("/convlog/v1/keys");
}

#[test]
fn a_port_in_use_is_named() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let address = server.url.strip_prefix("http://").unwrap();
    let arguments = ["--data-dir", "other", "--listen", address];
    let said = Start::bare(dir.path()).args(arguments).fail();
    assert_eq!(said.status, 1);
    assert!(
        said.stderr.contains(&format!("cannot listen on {address}")),
        "{said:?}"
    );
}

#[test]
fn sigterm_and_sigint_end_it_cleanly_with_everything_on_disk() {
    let dir = scratch();
    for (n_before, name) in [(0, "TERM"), (1, "INT")] {
        let server = Start::on(dir.path()).server();
        assert_eq!(server.turns().len(), n_before);
        if n_before == 0 {
            echo_bot(&server, "echo");
        }
        let message = json!({"input": {"text": format!("before {name}")}});
        server.send(
            "POST",
            "/v1/workspaces/echo/message?version=2021-11-27",
            &message,
        );
        server.signal(name);
        assert!(server.wait().success());
    }
    assert_eq!(Start::on(dir.path()).server().turns().len(), 2);
}

#[test]
fn a_flag_beats_the_environment_and_that_beats_the_file() {
    let dir = scratch();
    let file = "data_dir = \"of-file\"\nlisten = [\"127.0.0.1:0\"]\n";
    fs::write(dir.path().join("convlog.toml"), file).unwrap();
    let used = |start: Start<'_>| {
        start.server().stop();
        let mut names: Vec<String> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("of-"))
            .collect();
        names.sort();
        names
    };
    assert_eq!(used(Start::bare(dir.path())), ["of-file"]);
    let by_env = Start::bare(dir.path()).env("CONVLOG_DATA_DIR", "of-env");
    assert_eq!(used(by_env), ["of-env", "of-file"]);
    let by_flag = Start::bare(dir.path())
        .env("CONVLOG_DATA_DIR", "of-env-2")
        .args(["--data-dir", "of-flag"]);
    assert_eq!(used(by_flag), ["of-env", "of-file", "of-flag"]);
}

#[test]
fn an_unknown_variable_is_wrong_use_of_every_command() {
    let dir = scratch();
    for arguments in [&["serve"][..], &["config"], &["query", "--key", "k"]] {
        let said = finish(
            program(dir.path())
                .args(arguments)
                .env("CONVLOG_DATADIR", "x"),
        );
        assert_eq!(said.status, 2);
        assert!(
            said.stderr
                .contains("unknown environment variable CONVLOG_DATADIR"),
            "{said:?}"
        );
    }
}

#[test]
fn an_unknown_key_of_the_file_is_named_with_its_place() {
    let dir = scratch();
    fs::write(dir.path().join("c.toml"), "[limits]\nlist_per_second = 5\n").unwrap();
    let said = Start::bare(dir.path())
        .env("CONVLOG_CONFIG", "c.toml")
        .fail();
    assert_eq!(said.status, 2);
    assert_eq!(
        said.stderr,
        "error: c.toml:2:1: unknown key `limits.list_per_second`\n"
    );
}

#[test]
fn an_open_address_without_tls_is_refused() {
    let dir = scratch();
    let said = Start::bare(dir.path())
        .args(["--listen", "0.0.0.0:0"])
        .fail();
    assert_eq!(said.status, 2);
    assert!(
        said.stderr
            .contains("refusing to speak plain HTTP on 0.0.0.0:0"),
        "{said:?}"
    );
    assert!(!dir.path().join("convlog-data").exists());
}

#[test]
fn config_shows_what_is_in_effect_and_no_secret() {
    let dir = scratch();
    fs::write(
        dir.path().join("convlog.toml"),
        "[retention]\ndefault_days = 30\n",
    )
    .unwrap();
    let mut command = program(dir.path());
    command
        .env("CONVLOG_ADMIN_KEY", KEY)
        .env("CONVLOG_LIMITS_PAGE_MAX", "7");
    let text = finish(command.args(["config", "--listen", "127.0.0.1:9"]))
        .ok()
        .stdout;
    for line in [
        "default_days = 30",
        "page_max = 7",
        "listen = [\"127.0.0.1:9\"]",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    assert!(
        text.contains("CONVLOG_ADMIN_KEY is set") && !text.contains(KEY),
        "{text}"
    );
    let json = finish(program(dir.path()).args(["config", "--json"]))
        .ok()
        .json();
    assert_eq!(json["retention.default_days"], 30);
}

#[test]
fn secrets_of_roles_are_shown_by_no_command_and_read_by_the_server() {
    let dir = scratch();
    let role = |name: &str| {
        format!(
            "[[aws.roles]]\narn = \"arn:aws:iam::123456789012:role/{name}\"\n\
             access_key_id = \"A\"\n"
        )
    };
    let file = format!(
        "{}secret_access_key = \"hush\"\n{}secret_access_key_file = \"two.secret\"\n",
        role("one"),
        role("two")
    );
    fs::write(dir.path().join("convlog.toml"), file).unwrap();
    for arguments in [&["config"][..], &["config", "--json"]] {
        // Which needs no file of a secret.
        let shown = finish(program(dir.path()).args(arguments)).ok().stdout;
        let is_masked = shown.contains("********") && shown.contains("two.secret");
        assert!(is_masked && !shown.contains("hush"), "{shown}");
    }
    let said = Start::bare(dir.path()).fail();
    assert_eq!(said.status, 1);
    let expected = "cannot read `aws.roles[1].secret_access_key_file` two.secret: ";
    assert!(said.stderr.contains(expected), "{said:?}");
    assert!(!dir.path().join("convlog-data").exists());
    fs::write(dir.path().join("two.secret"), "\n").unwrap();
    assert_eq!(Start::bare(dir.path()).fail().status, 2);
    fs::write(dir.path().join("two.secret"), "hush\n").unwrap();
    Start::on(dir.path()).server().stop();
}

#[test]
fn a_lost_key_is_replaced_on_a_stopped_server_only() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let create = || {
        // A variable for the commands that talk to a server does not get in the way.
        let mut command = program(dir.path());
        command.env("CONVLOG_KEY", KEY).env("CONVLOG_FROM_KEY", KEY);
        finish(command.args(["keys", "create", "--data-dir", "data"]))
    };
    let refused = create();
    assert_eq!(refused.status, 1);
    assert!(
        refused.stderr.contains("in use by another process"),
        "{refused:?}"
    );
    server.stop();
    let made = create().ok().stdout;
    let key = made.trim().strip_prefix("key: ").unwrap().to_owned();
    let server = Start::on(dir.path()).server().with_key(&key);
    assert_eq!(
        server.get("/convlog/v1/keys")["keys"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn keys_of_a_directory_that_is_not_there_are_wrong_use() {
    let dir = scratch();
    let said = finish(program(dir.path()).args(["keys", "create", "--data-dir", "typo"]));
    assert_eq!(said.status, 2);
    assert_eq!(said.stderr, "error: there is no data directory typo\n");
    assert!(!dir.path().join("typo").exists());
}

#[test]
fn verify_finds_a_whole_directory_whole() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    server.load("watson-v1", &log_lines("shop", 100));
    server.stop();
    let said = finish(program(dir.path()).args(["verify", "--data-dir", "data"]));
    assert_eq!(said.status, 0, "{said:?}");
}

#[test]
fn verify_finds_a_flipped_bit() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    server.load("watson-v1", &log_lines("shop", 100));
    server.stop();
    let chunks = dir.path().join("data/chunks");
    let path = fs::read_dir(chunks)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = fs::read(&path).unwrap();
    bytes[5000] ^= 4;
    fs::write(&path, bytes).unwrap();
    let said = finish(program(dir.path()).args(["verify", "--data-dir", "data"]));
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.stdout.contains(".log"), "{said:?}");
}

#[test]
fn wrong_use_of_the_command_line_is_status_2() {
    let dir = scratch();
    for arguments in [
        &["no-such-command"][..],
        &["import"],
        &["erase"],
        &["query"],
    ] {
        let said = finish(program(dir.path()).args(arguments));
        assert_eq!(said.status, 2, "{said:?}");
    }
}

#[test]
fn completions_know_the_commands() {
    let dir = scratch();
    for shell in ["bash", "zsh", "fish"] {
        let said = finish(program(dir.path()).args(["completions", shell])).ok();
        assert!(said.stdout.contains("import"), "{shell}");
    }
}
