//! Clients of the benchmark: plain blocking HTTP, one connection a thread.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::report::Latencies;

/// A client of one server. Clones share no connection.
#[derive(Debug)]
pub(super) struct Http {
    agent: ureq::Agent,
    url: String,
    authorization: String,
}

impl Http {
    pub(super) fn new(url: &str, key: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Self {
            agent: agent.into(),
            url: url.to_owned(),
            authorization: format!("Bearer {key}"),
        }
    }

    /// The same server over connections of its own.
    pub(super) fn fresh(&self) -> Self {
        let key = self.authorization.trim_start_matches("Bearer ");
        Self::new(&self.url, key)
    }

    pub(super) fn post(&self, path: &str, body: &[u8]) -> Result<Value> {
        let request = self.agent.post(format!("{}{path}", self.url));
        let response = request
            .header("Authorization", &self.authorization)
            .header("Content-Type", "application/json")
            .send(body)?;
        parsed(path, response)
    }

    pub(super) fn put(&self, path: &str, body: &[u8]) -> Result<Value> {
        let request = self.agent.put(format!("{}{path}", self.url));
        let response = request
            .header("Authorization", &self.authorization)
            .header("Content-Type", "application/json")
            .send(body)?;
        parsed(path, response)
    }

    pub(super) fn get(&self, path: &str) -> Result<Value> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let response = request
            .header("Authorization", &self.authorization)
            .call()?;
        parsed(path, response)
    }

    pub(super) fn delete(&self, path: &str) -> Result<Value> {
        let request = self.agent.delete(format!("{}{path}", self.url));
        let response = request
            .header("Authorization", &self.authorization)
            .call()?;
        parsed(path, response)
    }

    /// One page of the newest logs of a workspace, as it came: the time of a parser is not the
    /// server's.
    pub(super) fn list(&self, bot: &str, filter: &str) -> Result<String> {
        let path = format!("/v1/workspaces/{bot}/logs");
        let response = self
            .agent
            .get(format!("{}{path}", self.url))
            .query("version", "2021-11-27")
            .query("page_limit", "100")
            .query("sort", "-request_timestamp")
            .query("filter", filter)
            .header("Authorization", &self.authorization)
            .call()?;
        text(&path, response)
    }

    /// Reads a streamed answer, not compressed: lines and bytes.
    pub(super) fn count_lines(&self, path: &str, accept: &str) -> Result<(usize, u64)> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let response = request
            .header("Authorization", &self.authorization)
            .header("Accept", accept)
            .header("Accept-Encoding", "identity")
            .call()?;
        if !response.status().is_success() {
            bail!("{path}: {}", response.status());
        }
        let mut reader = BufReader::new(response.into_body().into_reader());
        let (mut n_lines, mut n_bytes, mut line) = (0, 0_u64, Vec::new());
        while reader.read_until(b'\n', &mut line)? > 0 {
            n_lines += 1;
            n_bytes += line.len() as u64;
            line.clear();
        }
        Ok((n_lines, n_bytes))
    }
}

/// Sends `n_messages` single messages from `n_clients` at once.
pub(super) fn messages(
    http: &Http,
    bot: &str,
    n_clients: usize,
    n_messages: usize,
) -> Result<Latencies> {
    let path = format!("/v1/workspaces/{bot}/message?version=2021-11-27");
    let body = br#"{"input":{"text":"two large coffees please"},"context":{"basket":[1,2,3]}}"#;
    let work = |share: usize| -> Result<Latencies> {
        let own = http.fresh();
        let mut latencies = Latencies::default();
        for _ in 0..share {
            let start = Instant::now();
            own.post(&path, body)?;
            latencies.push(start.elapsed());
        }
        Ok(latencies)
    };
    std::thread::scope(|scope| {
        let share = n_messages.div_ceil(n_clients);
        let workers: Vec<_> = (0..n_clients)
            .map(|_| scope.spawn(move || work(share)))
            .collect();
        let mut all = Latencies::default();
        for worker in workers {
            match worker.join() {
                Ok(latencies) => all.append(latencies?),
                Err(_) => bail!("a client panicked"),
            }
        }
        Ok(all)
    })
}

/// Log ids of a page, in its order.
pub(super) fn log_ids(page: &str) -> Result<Vec<String>> {
    let page: Value = serde_json::from_str(page).context("a list that is no JSON")?;
    let logs = page.get("logs").and_then(Value::as_array);
    let logs = logs.context("a list without logs")?;
    let id = |log: &Value| log.get("log_id")?.as_str().map(str::to_owned);
    let ids = logs.iter().map(|log| id(log).context("a log without id"));
    ids.collect()
}

/// A query that is too slow for all its repetitions is asked for so long, and at least so often;
/// `xtask/peers/kit.py` does the same.
const QUERY_TIME_MAX: Duration = Duration::from_secs(15);
const QUERY_TIMES_MIN: usize = 3;

/// The server's word that an answer takes more than it may cost: no reason to end a run, since the
/// table has to show it.
#[derive(Debug)]
struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// The answer, or none if the server refused it.
pub(super) fn unless_refused<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is::<Refused>() => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the first call gave, and the times of the further ones.
pub(super) fn timed<T>(
    n_times: usize,
    mut call: impl FnMut() -> Result<T>,
) -> Result<(T, Latencies)> {
    let answer = call()?;
    let mut latencies = Latencies::default();
    let begin = Instant::now();
    while latencies.len() < n_times {
        let start = Instant::now();
        call()?;
        latencies.push(start.elapsed());
        if begin.elapsed() > QUERY_TIME_MAX && latencies.len() >= QUERY_TIMES_MIN {
            break;
        }
    }
    Ok((answer, latencies))
}

fn parsed(path: &str, response: ureq::http::Response<ureq::Body>) -> Result<Value> {
    let text = text(path, response)?;
    serde_json::from_str(&text).with_context(|| format!("{path}: no JSON"))
}

fn text(path: &str, mut response: ureq::http::Response<ureq::Body>) -> Result<String> {
    let status = response.status();
    let text = response
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_to_string()?;
    if status == ureq::http::StatusCode::SERVICE_UNAVAILABLE {
        return Err(Refused(format!("{path}: {text}")).into());
    }
    if !status.is_success() {
        bail!("{path}: {status} {text}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_no_answer_and_another_error_stays_one() {
        let refused: Result<u8> = Err(Refused("narrow the filter".to_owned()).into());
        assert_eq!(unless_refused(refused).unwrap(), None);
        assert_eq!(unless_refused(Ok(7)).unwrap(), Some(7));
        let error = unless_refused::<u8>(Err(anyhow::anyhow!("connection lost"))).unwrap_err();
        assert_eq!(error.to_string(), "connection lost");
    }

    #[test]
    fn the_first_call_is_not_timed() {
        let mut n_calls = 0;
        let (first, times) = timed(5, || {
            n_calls += 1;
            Ok(n_calls)
        })
        .unwrap();
        assert_eq!((first, times.len(), n_calls), (1, 5, 6));
    }
}
