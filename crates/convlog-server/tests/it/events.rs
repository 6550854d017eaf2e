//! Events of our own: each type is written once by its action, and by no other.

mod actions;
mod routes;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use convlog_model::json::Json;
use convlog_server::events::TYPES;

use self::actions::ACTIONS;
use crate::harness::Server;
use crate::watson::{encoded, text};

/// Types whose action needs the whole program, and the file whose tests perform it.
const IN_THE_PROGRAM: (&[&str], &str) = (
    &[
        "erasure.done",
        "retention.purge",
        "system.start",
        "system.stop",
    ],
    include_str!("../../../convlog/tests/it/events.rs"),
);

type Done<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How an event comes about.
pub(crate) struct Action {
    kind: &'static str,
    /// When it is there: before the action answers, or soon.
    is_prompt: bool,
    /// The resources that it names.
    refs: &'static [(&'static str, &'static str)],
    /// What must have happened before.
    prepare: fn() -> Done<Server>,
    act: fn(Server) -> Done<()>,
}

/// The entries of the audit of one type, newest first.
pub(crate) async fn told(server: &Server, kind: &str) -> Vec<Json> {
    let uri = format!("/convlog/v1/audit?limit=1000&type={kind}");
    let answer = server.get(&uri).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let entries = answer
        .json()
        .get("entries")
        .and_then(Json::as_array)
        .map(<[Json]>::to_vec);
    entries.unwrap()
}

/// Waits for the first entry of a type beyond so many.
pub(crate) async fn eventually_told(server: &Server, kind: &str, n_before: usize) -> Vec<Json> {
    loop {
        let found = told(server, kind).await;
        if found.len() > n_before {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_type_is_written_once_by_its_action() {
    for action in ACTIONS {
        let kind = action.kind;
        let server = (action.prepare)().await;
        let n_before = told(&server, kind).await.len();
        (action.act)(server.clone()).await;
        let found = match action.is_prompt {
            true => told(&server, kind).await,
            false => eventually_told(&server, kind, n_before).await,
        };
        assert_eq!(found.len(), n_before + 1, "{kind}: {found:?}");
        let event = &found[0];
        let of = TYPES.iter().find(|of| of.name == kind).unwrap();
        let outcome = if of.is_error { "error" } else { "ok" };
        assert_eq!(text(event, &["outcome"]), outcome, "{event}");
        assert_eq!(text(event, &["action"]), of.action.as_str(), "{event}");
        let refs = event.get("refs").and_then(Json::as_object).unwrap();
        for (name, id) in action.refs {
            let found = refs.iter().find(|(found, _)| found == name);
            let found = found.and_then(|(_, found)| found.as_str());
            let found = found.unwrap_or_else(|| panic!("{kind} names no {name}: {event}"));
            assert!(
                found == *id || (id.is_empty() && !found.is_empty()),
                "{event}"
            );
        }
        assert_eq!(refs.len(), action.refs.len(), "{event}");
        // Other records do not show it unless they are asked to.
        let uri = "/convlog/v1/records?limit=1000";
        let others = server.get(uri).await.json();
        let others = others.get("records").and_then(Json::as_array).unwrap();
        let is_turn = |record: &Json| text(record, &["kind"]) == "turn";
        assert!(others.iter().all(is_turn), "{kind}");
        let filter = encoded(&format!("event.type::\"{kind}\""));
        let asked = server.get(&format!("{uri}&filter={filter}")).await;
        assert!(asked.text().contains(kind), "{}", asked.text());
    }
}

#[test]
fn each_type_has_its_action() {
    let all: BTreeSet<&str> = TYPES.iter().map(|of| of.name).collect();
    assert_eq!(all.len(), TYPES.len(), "a name is used twice");
    let (in_the_program, tests) = IN_THE_PROGRAM;
    let tested = ACTIONS.iter().map(|action| action.kind);
    let tested: BTreeSet<&str> = tested.chain(in_the_program.iter().copied()).collect();
    assert_eq!(tested, all);
    for kind in in_the_program {
        assert!(tests.contains(&format!("\"{kind}\"")), "{kind}");
    }
}
