//! Redaction: which rules hold for the records of a bot, and the routes that settle and try them.
//!
//! Rules come from the configuration, then from the document of the instance, then from that of
//! the bot, and apply in this order; `privacy` of a bot adds every detector behind them. Secrets
//! in the details of events are cut by the names of their keys unless the instance says otherwise.

mod document;
mod preview;

use std::sync::{Arc, LazyLock};

use axum::Json as Answer;
use axum::extract::{Path, State};
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::redaction::{HashKey, Policy, Rule};

pub(crate) use self::document::PolicyView;
use self::document::{Document, Layer};
pub(crate) use self::preview::{__path_preview, preview};
use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::bots;
use crate::cache::Cache;
use crate::config::RedactionConfig;
use crate::entity::{Change, Collection, Entity};
use crate::error::{Fault, Problem};
use crate::events::{self, OwnEvent};

const OF_INSTANCES: &str = "redaction";
const OF_BOTS: &str = "bot_redaction";
const PURPOSE: &str = "hashes of redaction rules";
/// Policies that are kept ready.
const POLICIES_MAX: usize = 128;
/// Documents that are kept compiled.
const COMPILED_MAX: usize = 64;

/// What holds for some records; an error says why none of them may be kept.
pub(crate) type Held = Result<Policy, String>;

type Rules = Result<Arc<Vec<Arc<Rule>>>, String>;

/// What is kept in memory of policies; all of it can be read again.
#[derive(Debug)]
pub(crate) struct Known {
    config: Rules,
    held: Cache<(InstanceId, Option<String>), Arc<Held>>,
    /// By document and version, which is never used twice.
    compiled: Cache<(String, u64), Rules>,
}

impl Known {
    /// With the rules of the configuration.
    pub(crate) fn new(config: &RedactionConfig) -> Self {
        let rules = Rule::compile_all(&config.rules, config.version);
        Known {
            config: shared(rules, &config.rules),
            held: Cache::new(POLICIES_MAX),
            compiled: Cache::new(COMPILED_MAX),
        }
    }

    /// To be called after a bot or a policy was changed.
    pub(crate) fn changed(&self) {
        self.held.clear();
    }

    fn compile(&self, collection: &str, entity: &Entity<Document>) -> Rules {
        let key = (format!("{collection}/{}", entity.id), entity.version);
        let ticket = match self.compiled.get(&key) {
            Ok(rules) => return rules,
            Err(ticket) => ticket,
        };
        let document = &entity.doc;
        let rules = Rule::compile_all(&document.rules, document.version);
        let rules = shared(rules, &document.rules);
        self.compiled.keep(ticket, key, rules.clone());
        rules
    }
}

/// Rules as they are kept; the text of an error is the one of the records that they refuse.
fn shared(
    rules: Result<Vec<Rule>, (usize, convlog_model::redaction::SpecError)>,
    specs: &[convlog_model::redaction::RuleSpec],
) -> Rules {
    match rules {
        Ok(rules) => Ok(Arc::new(rules.into_iter().map(Arc::new).collect())),
        Err((i, error)) => {
            let name = specs.get(i).map_or("", |spec| spec.name.as_str());
            Err(format!("redaction: rule `{name}` cannot run: {error}"))
        }
    }
}

/// The rules of the server's own events.
pub(crate) fn of_own_events() -> &'static Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| {
        // It masks; no hash is made.
        Policy::new(vec![Arc::clone(Rule::event_keys())], HashKey::new([0; 32]))
    });
    &POLICY
}

/// What holds for the records of a bot, or of no bot.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn of_records(
    app: &App,
    instance: &InstanceId,
    bot: Option<&str>,
) -> Result<Arc<Held>, Fault> {
    let known = app.redaction();
    let key = (instance.clone(), bot.map(ToOwned::to_owned));
    let ticket = match known.held.get(&key) {
        Ok(held) => return Ok(held),
        Err(ticket) => ticket,
    };
    let held = Arc::new(assembled(app, instance, bot, None).await?);
    known.held.keep(ticket, key, held.clone());
    Ok(held)
}

/// A document that takes the place of a stored one.
struct Instead {
    layer: Layer,
    document: Document,
}

async fn assembled(
    app: &App,
    instance: &InstanceId,
    bot: Option<&str>,
    instead: Option<&Instead>,
) -> Result<Held, Fault> {
    let known = app.redaction();
    let tried = |layer: Layer| {
        let tried = instead.filter(|instead| instead.layer == layer);
        tried.map(|instead| &instead.document)
    };
    let mut layers = vec![known.config.clone()];
    let stored = of_instances(app).get(instance.as_str()).await?;
    layers.extend(layer(
        known,
        OF_INSTANCES,
        tried(Layer::Instance),
        stored.as_ref(),
    ));
    let settled = tried(Layer::Instance).or(stored.as_ref().map(|entity| &entity.doc));
    let event_keys = settled.is_none_or(|document| document.event_keys.unwrap_or(true));
    let mut is_private = false;
    if let Some(bot) = bot {
        let id = scoped_id(instance, bot);
        let stored = of_bots(app).get(&id).await?;
        layers.extend(layer(known, OF_BOTS, tried(Layer::Bot), stored.as_ref()));
        let bot = bots::find(app, instance, bot).await?;
        is_private = bot.is_some_and(|bot| bot.doc.privacy == Some(true));
    }
    let mut rules = Vec::new();
    for layer in layers {
        match layer {
            Ok(layer) => rules.extend(layer.iter().cloned()),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    if is_private {
        rules.extend(Rule::all_detectors().iter().cloned());
    }
    if event_keys {
        rules.push(Arc::clone(Rule::event_keys()));
    }
    let key = app
        .sealer()
        .derive(PURPOSE)
        .hash(instance.as_str().as_bytes());
    Ok(Ok(Policy::new(rules, HashKey::new(key))))
}

fn layer(
    known: &Known,
    collection: &str,
    tried: Option<&Document>,
    stored: Option<&Entity<Document>>,
) -> Option<Rules> {
    if let Some(document) = tried {
        let rules = Rule::compile_all(&document.rules, document.version);
        return Some(shared(rules, &document.rules));
    }
    stored.map(|entity| known.compile(collection, entity))
}

fn of_instances(app: &App) -> Collection<'_, Document> {
    Collection::new(app, OF_INSTANCES)
}

fn of_bots(app: &App) -> Collection<'_, Document> {
    Collection::new(app, OF_BOTS)
}

/// The policy of the instance.
#[utoipa::path(get, path = "/convlog/v1/redaction", tag = "redaction", responses(
    (status = 200, body = PolicyView),
))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
) -> Result<Answer<PolicyView>, Fault> {
    let found = of_instances(&app).get(caller.instance.as_str()).await?;
    let document = found.map(|entity| entity.doc).unwrap_or_default();
    Ok(Answer(document.view(Layer::Instance)))
}

/// Replaces the policy of the instance. It holds for every record that comes in from now on, of
/// every bot; what is stored stays as it is.
#[utoipa::path(put, path = "/convlog/v1/redaction", tag = "redaction",
    request_body(content = Object, description = "`{version, rules: [{name, detector | pattern | \
        keys | paths, action, replacement}], event_keys}`"),
    responses(
        (status = 200, body = PolicyView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn put(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<Json>,
) -> Result<Answer<PolicyView>, Fault> {
    caller.require_unscoped()?;
    let sent = document::parse(&body, "", Layer::Instance)?;
    let event = OwnEvent::new(&app, &caller, events::REDACTION_UPDATE);
    let id = caller.instance.as_str();
    let stored = replace(&app, of_instances(&app), id, &sent, event).await?;
    Ok(Answer(stored.view(Layer::Instance)))
}

/// The policy of a bot.
#[utoipa::path(get, path = "/convlog/v1/bots/{id}/redaction", tag = "redaction",
    params(("id" = String, Path, description = "id of the bot")),
    responses(
        (status = 200, body = PolicyView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_of_bot(
    State(app): State<App>,
    caller: Caller,
    Path(bot): Path<String>,
) -> Result<Answer<PolicyView>, Fault> {
    require(&app, &caller, &bot).await?;
    let found = of_bots(&app)
        .get(&scoped_id(&caller.instance, &bot))
        .await?;
    let document = found.map(|entity| entity.doc).unwrap_or_default();
    Ok(Answer(document.view(Layer::Bot)))
}

/// Replaces the policy of a bot. Its rules apply after those of the instance.
#[utoipa::path(put, path = "/convlog/v1/bots/{id}/redaction", tag = "redaction",
    params(("id" = String, Path, description = "id of the bot")),
    request_body(content = Object, description = "`{version, rules: [{name, detector | pattern | \
        keys | paths, action, replacement}]}`"),
    responses(
        (status = 200, body = PolicyView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn put_of_bot(
    State(app): State<App>,
    caller: Caller,
    Path(bot): Path<String>,
    JsonBody(body): JsonBody<Json>,
) -> Result<Answer<PolicyView>, Fault> {
    require(&app, &caller, &bot).await?;
    let sent = document::parse(&body, "", Layer::Bot)?;
    let event = OwnEvent::new(&app, &caller, events::REDACTION_UPDATE).about("botId", &bot);
    let id = scoped_id(&caller.instance, &bot);
    let stored = replace(&app, of_bots(&app), &id, &sent, event).await?;
    Ok(Answer(stored.view(Layer::Bot)))
}

async fn require(app: &App, caller: &Caller, bot: &str) -> Result<(), Fault> {
    caller.require_bot(bot)?;
    match bots::find(app, &caller.instance, bot).await? {
        Some(_) => Ok(()),
        None => Err(Fault::not_found("Resource not found")),
    }
}

async fn replace(
    app: &App,
    collection: Collection<'_, Document>,
    id: &str,
    sent: &Document,
    event: OwnEvent,
) -> Result<Document, Fault> {
    let changed = collection.change(id, |old| {
        let document = sent.clone().after(old.as_ref());
        let event = event
            .clone()
            .with("version", document.version.to_string())
            .with("rules", document.rules.len().to_string());
        Ok(Change::to(document, event))
    });
    let changed = changed.await;
    app.redaction().changed();
    let stored = changed?.map(|entity| entity.doc);
    stored.ok_or_else(|| Fault::internal("a policy that was put is not there"))
}

/// Removes the policy of a bot that was deleted.
pub(crate) async fn forget(app: &App, instance: &InstanceId, bot: &str) -> Result<(), Fault> {
    let gone = of_bots(app).change(&scoped_id(instance, bot), |_| Ok(Change::gone()));
    gone.await?;
    app.redaction().changed();
    Ok(())
}
