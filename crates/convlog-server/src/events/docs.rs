//! docs/events.md is written of the tables in the code.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::expect_file;

use super::{PROJECTED, TYPES};

const HEAD: &str = "\
# Events

Written by a test from the tables in the code; do not edit.

What the server does is an event: a record of the kind `event` that it writes itself, before an action \
that answers does so. These records are the audit too (`GET /convlog/v1/audit`, `?type=` for one \
type); other lists leave them out unless a filter asks for `event.type` or `event.action` and the key has \
the role `admin`. Records with an `event.action` that come from outside need that role, too. They hold \
ids, names and numbers, and nothing that a user said.

Each says who did it (`actor`: the id of a key, `system` for what the server does by itself, \
`local` for the command line, `unknown` for who could not prove to be anybody), to what (ids under \
`refs`, as `botId`), when, whether it went well (`outcome`, `ok` or `error`), and more under `meta`.

An event is written once, also when the server is killed in between: it is kept by the write that it \
tells of, before that, or follows from what that has left. What may be missing after a kill is only \
what was not answered (an import, an erasure), a download that broke off, and a refusal (`user.error`, \
`integration.error`), which is told of at most once a minute.

Events about a turn of a customer, as of a connector that failed, name the customer and are erased with \
it. All others stay until retention takes them: `events_days` and the rules of types in \
[retention.md](retention.md).

";

#[test]
fn the_tables_of_events_are_those_of_the_code() {
    let mut text = HEAD.to_owned();
    text.push_str("| type | action | outcome | when, and what `meta` says |\n");
    text.push_str("| --- | --- | --- | --- |\n");
    for kind in TYPES {
        let outcome = if kind.is_error { "error" } else { "ok" };
        let (name, action, doc) = (kind.name, kind.action.as_str(), kind.doc);
        writeln!(text, "| `{name}` | {action} | {outcome} | {doc} |").unwrap();
    }
    text.push_str("\n## Seen in turns\n\n");
    text.push_str(
        "Turns are events by themselves: readers of events see these in the record of a turn.\n\n",
    );
    text.push_str("| type | what it tells |\n| --- | --- |\n");
    for kind in PROJECTED {
        writeln!(text, "| `{}` | {} |", kind.name, kind.doc).unwrap();
    }
    expect_file!["../../../../docs/events.md"].assert_eq(&text);
}

#[test]
fn types_are_in_order_and_apart() {
    assert!(TYPES.is_sorted_by_key(|kind| kind.name));
    let written = TYPES.iter().map(|kind| kind.name);
    let seen = PROJECTED.iter().map(|kind| kind.name);
    let all: BTreeSet<&str> = written.chain(seen).collect();
    assert_eq!(all.len(), TYPES.len() + PROJECTED.len());
}
