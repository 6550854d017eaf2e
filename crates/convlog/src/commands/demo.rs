//! `convlog demo`: a throwaway server, filled over its own HTTP API, and three things to try.

use anyhow::{Context, Result};
use convlog_model::clock::Clock as _;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::serve::{bind, first_start};
use crate::args::{Connection, Demo};
use crate::client::Client;
use crate::clock::SystemClock;
use crate::config::{Config, Flags};
use crate::demo::{self, BOTS, SampleBot};
use crate::engine;
use crate::logging;
use crate::out;

/// Runs it until Ctrl-C.
pub(crate) async fn run(arguments: &Demo) -> Result<()> {
    let dir = tempfile::Builder::new().prefix("convlog-demo-").tempdir()?;
    let flags = Flags {
        data_dir: Some(dir.path().to_owned()),
        listen: vec![arguments.listen.clone()],
        ..Flags::default()
    };
    let config = Config::of_flags(&flags)?;
    logging::start(config.log_format, "warn")?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut stopped = std::pin::pin!(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    let opened = engine::open(&config).await?;
    let key = first_start(&opened.app, None).await?;
    let key = key.context("the directory was not empty")?;
    let listeners = bind(&config.listen)?;
    let address = listeners.first().context("no address")?.local_addr()?;
    let client = Client::new(&Connection {
        url: format!("http://{address}"),
        key: Some(key.clone()),
        ca: None,
    })?;
    let (stop, asked) = oneshot::channel::<()>();
    let serving = convlog_server::serve(opened.app.clone(), listeners, None, async {
        // Also ends when the sender is dropped.
        drop(asked.await);
    });
    let mut serving = std::pin::pin!(serving);
    let shown = async {
        let (n_turns, n_conversations) = fill(&client).await?;
        out::line(&welcome(client.url(), &key, n_turns, n_conversations))?;
        anyhow::Ok(())
    };
    let result = tokio::select! {
        served = &mut serving => served.context("the server failed"),
        shown = shown => shown,
        () = &mut stopped => Ok(()),
    };
    if result.is_ok() {
        tokio::select! {
            served = &mut serving => served.context("the server failed")?,
            () = &mut stopped => {}
        }
    }
    // The server may have gone by itself.
    let _sent = stop.send(());
    let served = serving.await;
    let closed = opened.close().await;
    result.and(served.context("the server failed")).and(closed)
}

/// Everything through the HTTP API: bots, two weeks of history, and a few live messages.
async fn fill(client: &Client) -> Result<(u64, u64)> {
    for bot in &BOTS {
        let path = ["convlog", "v1", "bots", bot.id];
        let made = client
            .send_json(Method::PUT, &path, &bot.definition())
            .await;
        made.with_context(|| format!("making the bot {}", bot.id))?;
    }
    let sample = demo::sample(SystemClock::new().now());
    let mut n_turns = 0;
    for (dialect, lines) in [("watson-v1", &sample.v1), ("watson-v2", &sample.v2)] {
        n_turns += load(client, dialect, lines).await?;
    }
    for text in [
        "hello",
        "two large lattes please",
        "are you open on Sunday?",
    ] {
        talk(client, &BOTS[0], text).await?;
        n_turns += 1;
    }
    Ok((n_turns, sample.n_conversations + 1))
}

async fn load(client: &Client, dialect: &str, lines: &[String]) -> Result<u64> {
    let path = ["convlog", "v1", "records"];
    let request = client.request(Method::POST, &path, &[("dialect", dialect)]);
    let answer = client.send(&request.body(lines.join("\n"))).await?;
    let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
    let n_accepted = answer["accepted"].as_u64().unwrap_or_default();
    anyhow::ensure!(
        n_accepted == lines.len() as u64,
        "the sample was not accepted: {answer}"
    );
    Ok(n_accepted)
}

async fn talk(client: &Client, bot: &SampleBot, text: &str) -> Result<()> {
    let path = ["v1", "workspaces", bot.id, "message"];
    let body = json!({
        "input": {"text": text},
        "context": {"conversation_id": "demo-live", "metadata": {"user_id": "you"}},
    });
    let request = client
        .request(Method::POST, &path, &[("version", "2021-11-27")])
        .header("Content-Type", "application/json")
        .header("X-Watson-Metadata", "customer_id=you");
    client.send(&request.body(body.to_string())).await?;
    Ok(())
}

fn welcome(url: &str, key: &str, n_turns: u64, n_conversations: u64) -> String {
    let names = BOTS
        .iter()
        .map(|bot| format!("{} ({})", bot.id, bot.language));
    let names = names.collect::<Vec<_>>().join(", ");
    format!(
        r#"convlog demo: {n_turns} turns of {n_conversations} conversations with {names}

  URL  {url}
  key  {key}
  docs {url}/convlog/v1/docs

In another terminal, with bash:

export CONVLOG_URL={url}
export CONVLOG_KEY={key}

Three things to try there:

1. Talk to the coffee shop, as a Watson client does

curl -u "apikey:$CONVLOG_KEY" -H 'Content-Type: application/json' \
  "$CONVLOG_URL/v1/workspaces/coffee-shop/message?version=2021-11-27" \
  -d '{{"input":{{"text":"a small flat white please"}}}}'

2. Ask what it did not understand, with the unmodified Python SDK (pip install ibm-watson)

python3 - <<'PY'
from os import environ
from ibm_watson import AssistantV1
from ibm_cloud_sdk_core.authenticators import BasicAuthenticator
key = BasicAuthenticator('apikey', environ['CONVLOG_KEY'])
convlog = AssistantV1(version='2021-11-27', authenticator=key)
convlog.set_service_url(environ['CONVLOG_URL'])
missed = 'response.context.system.branch_exited_reason::fallback'
for log in convlog.list_logs('coffee-shop', filter=missed).get_result()['logs']:
    print(log['request_timestamp'], log['request']['input']['text'])
PY

3. Look up a customer, erase her, and look again

curl -g -u "apikey:$CONVLOG_KEY" \
  "$CONVLOG_URL/convlog/v1/records?filter=customer::anna.lind&limit=1"
curl -X DELETE -u "apikey:$CONVLOG_KEY" \
  "$CONVLOG_URL/v1/user_data?version=2021-11-27&customer_id=anna.lind"

Everything is in a temporary directory that goes when you press Ctrl-C."#
    )
}
