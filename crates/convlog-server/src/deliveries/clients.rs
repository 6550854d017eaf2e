//! AWS's clients, one of each kind a role, with the credentials that the role gives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_credential_types::Credentials;
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_s3 as s3;
use aws_sdk_sts as sts;

use super::failure::Failure;
use super::http;
use crate::app::App;
use crate::config::{AwsEndpoint, AwsRole};

/// So long before their end credentials are not used any more.
const EXPIRY_US: i64 = 5 * 60 * 1_000_000;
/// Names us in the account's own log of what was done with the role.
const SESSION_NAME: &str = "convlog";
const PROVIDER: &str = "convlog";

/// The clients of a role.
#[derive(Clone, Debug)]
pub(super) struct OfRole {
    logs: logs::Client,
    s3: Option<s3::Client>,
    /// When its credentials end, in microseconds; `None` for those that do not.
    until_us: Option<i64>,
}

/// The clients that are there already.
#[derive(Debug, Default)]
pub(super) struct Clients(Mutex<BTreeMap<String, Arc<OfRole>>>);

/// One event for a log group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) at_ms: i64,
    pub(super) text: &'a str,
}

/// An object for a bucket.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) kms_key: Option<String>,
    pub(super) content_type: String,
    pub(super) bytes: Vec<u8>,
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<OfRole>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn of(&self, app: &App, arn: &str) -> Result<Arc<OfRole>, Failure> {
        let now_us = app.now().micros();
        let known = self.lock().get(arn).cloned();
        let lives = |role: &Arc<OfRole>| {
            role.until_us
                .is_none_or(|until_us| now_us < until_us.saturating_sub(EXPIRY_US))
        };
        if let Some(role) = known.filter(lives) {
            return Ok(role);
        }
        self.take_on(app, arn).await
    }

    /// Takes a role on anew.
    pub(super) async fn take_on(&self, app: &App, arn: &str) -> Result<Arc<OfRole>, Failure> {
        let roles = &app.config().aws.roles;
        let role = roles.iter().find(|role| role.arn == arn);
        let role = role.ok_or_else(|| Failure::permanent("unknown_role"))?;
        let made = Arc::new(make(app, role).await?);
        self.lock().insert(arn.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    fn forget_if_refused(&self, arn: &str, failure: Failure) -> Failure {
        if failure.is_of_credentials() {
            self.lock().remove(arn);
        }
        failure
    }

    /// Writes events into a stream, which is made where it is missing; the group never is. Answers
    /// which events were not taken, and why.
    pub(super) async fn put_events(
        &self,
        app: &App,
        role: &str,
        (group, stream): (&str, &str),
        lines: &[Line<'_>],
    ) -> Result<Vec<(usize, &'static str)>, Failure> {
        let clients = self.of(app, role).await?;
        let mut put = put(&clients.logs, group, stream, lines).await;
        if let Err(failure) = &put
            && failure.is_missing()
        {
            let made = create_stream(&clients.logs, group, stream).await;
            made.map_err(|failure| self.forget_if_refused(role, failure))?;
            put = self::put(&clients.logs, group, stream, lines).await;
        }
        put.map_err(|failure| self.forget_if_refused(role, failure))
    }

    /// Writes an object. An answer that does not say that it was encrypted as asked is a failure.
    pub(super) async fn put_object(
        &self,
        app: &App,
        role: &str,
        object: Object,
    ) -> Result<(), Failure> {
        let clients = self.of(app, role).await?;
        let client = clients.s3.as_ref();
        let client = client.ok_or_else(|| Failure::permanent("no_endpoint"))?;
        let mut call = client
            .put_object()
            .bucket(object.bucket)
            .key(object.key)
            .content_type(object.content_type)
            .body(object.bytes.into());
        let is_sealed = object.kms_key.is_some();
        if let Some(key) = object.kms_key {
            call = call
                .server_side_encryption(s3::types::ServerSideEncryption::AwsKms)
                .ssekms_key_id(key);
        }
        let answer = call.send().await;
        let answer = answer.map_err(|error| self.forget_if_refused(role, Failure::of(&error)))?;
        let sealed = answer.server_side_encryption();
        match !is_sealed || sealed == Some(&s3::types::ServerSideEncryption::AwsKms) {
            true => Ok(()),
            false => Err(Failure::permanent("not_encrypted")),
        }
    }
}

async fn put(
    client: &logs::Client,
    group: &str,
    stream: &str,
    lines: &[Line<'_>],
) -> Result<Vec<(usize, &'static str)>, Failure> {
    let mut call = client
        .put_log_events()
        .log_group_name(group)
        .log_stream_name(stream);
    for line in lines {
        let event = logs::types::InputLogEvent::builder()
            .timestamp(line.at_ms)
            .message(line.text)
            .build()
            .map_err(|_| Failure::permanent("bad_request"))?;
        call = call.log_events(event);
    }
    let answer = call.send().await.map_err(|error| Failure::of(&error))?;
    let info = answer.rejected_log_events_info();
    Ok(info.map_or_else(Vec::new, |info| rejected(info, lines.len())))
}

/// The events of a call that were not taken, each once, whatever an answer says of others.
fn rejected(
    info: &logs::types::RejectedLogEventsInfo,
    n_lines: usize,
) -> Vec<(usize, &'static str)> {
    let place = |index: Option<i32>| {
        let index = index.and_then(|index| usize::try_from(index).ok());
        index.map(|index| index.min(n_lines))
    };
    let old = 0..place(info.too_old_log_event_end_index()).unwrap_or(0);
    let end = place(info.expired_log_event_end_index()).unwrap_or(0);
    let expired = old.end..end.max(old.end);
    let start = place(info.too_new_log_event_start_index()).unwrap_or(n_lines);
    let new = start.max(expired.end)..n_lines;
    let each = |range: std::ops::Range<usize>, why: &'static str| range.map(move |i| (i, why));
    let all = each(old, "too_old").chain(each(expired, "expired"));
    all.chain(each(new, "too_new")).collect()
}

async fn create_stream(client: &logs::Client, group: &str, stream: &str) -> Result<(), Failure> {
    let call = client
        .create_log_stream()
        .log_group_name(group)
        .log_stream_name(stream);
    match call.send().await.map_err(|error| Failure::of(&error)) {
        Err(failure) if failure.class != "ResourceAlreadyExistsException" => Err(failure),
        _ => Ok(()),
    }
}

async fn make(app: &App, role: &AwsRole) -> Result<OfRole, Failure> {
    let aws = &app.config().aws;
    let outbound = app.connectors().configured();
    let http = http::client(outbound.map_err(|_| Failure::transient("no_client"))?);
    let own = Credentials::new(
        role.access_key_id.as_str(),
        role.secret_access_key.as_str(),
        None,
        None,
        PROVIDER,
    );
    let (credentials, until_us) = match role.assume {
        false => (own, None),
        true => assume(app, &http, role, own).await?,
    };
    let config = logs::Config::builder()
        .behavior_version(logs::config::BehaviorVersion::latest())
        .region(logs::config::Region::new(aws.region.clone()))
        .credentials_provider(credentials.clone())
        .identity_cache(logs::config::IdentityCache::no_cache())
        .retry_config(logs::config::retry::RetryConfig::disabled())
        .http_client(http.clone());
    let config = match &aws.endpoints.logs {
        Some(url) => config.endpoint_url(url),
        None => config,
    };
    let logs = logs::Client::from_conf(config.build());
    let config = s3::Config::builder()
        .behavior_version(s3::config::BehaviorVersion::latest())
        .region(s3::config::Region::new(aws.region.clone()))
        .credentials_provider(credentials)
        .identity_cache(s3::config::IdentityCache::no_cache())
        .retry_config(s3::config::retry::RetryConfig::disabled())
        .http_client(http);
    let config = match &aws.endpoints.s3 {
        None => None,
        Some(AwsEndpoint::Aws) => Some(config),
        // Checksums in trailers and buckets as host names are more than other servers promise.
        Some(AwsEndpoint::Url(url)) => {
            let when = s3::config::RequestChecksumCalculation::WhenRequired;
            let config = config.endpoint_url(url).force_path_style(true);
            Some(config.request_checksum_calculation(when))
        }
    };
    Ok(OfRole {
        logs,
        s3: config.map(|config| s3::Client::from_conf(config.build())),
        until_us,
    })
}

/// The credentials of a role that is assumed, and when they end.
async fn assume(
    app: &App,
    http: &aws_smithy_runtime_api::client::http::SharedHttpClient,
    role: &AwsRole,
    own: Credentials,
) -> Result<(Credentials, Option<i64>), Failure> {
    let aws = &app.config().aws;
    let config = sts::Config::builder()
        .behavior_version(sts::config::BehaviorVersion::latest())
        .region(sts::config::Region::new(aws.region.clone()))
        .credentials_provider(own)
        .identity_cache(sts::config::IdentityCache::no_cache())
        .retry_config(sts::config::retry::RetryConfig::disabled())
        .http_client(http.clone());
    let config = match &aws.endpoints.sts {
        Some(AwsEndpoint::Url(url)) => config.endpoint_url(url),
        Some(AwsEndpoint::Aws) => config,
        None => return Err(Failure::permanent("no_endpoint")),
    };
    let client = sts::Client::from_conf(config.build());
    let call = client
        .assume_role()
        .role_arn(&role.arn)
        .role_session_name(SESSION_NAME);
    let answer = call.send().await.map_err(|error| Failure::of(&error))?;
    let given = answer.credentials();
    let given = given.ok_or_else(|| Failure::transient("bad_answer"))?;
    let credentials = Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        None,
        PROVIDER,
    );
    let until_us = given.expiration().secs().saturating_mul(1_000_000);
    Ok((credentials, Some(until_us)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_were_not_taken_are_those_of_the_call_each_once() {
        let of = |old: Option<i32>, expired: Option<i32>, new: Option<i32>| {
            let info = logs::types::RejectedLogEventsInfo::builder()
                .set_too_old_log_event_end_index(old)
                .set_expired_log_event_end_index(expired)
                .set_too_new_log_event_start_index(new)
                .build();
            rejected(&info, 4)
        };
        let (old, expired, new) = ("too_old", "expired", "too_new");
        assert_eq!(of(None, None, None), []);
        assert_eq!(
            of(Some(1), Some(2), Some(3)),
            [(0, old), (1, expired), (3, new)]
        );
        assert_eq!(of(Some(2), Some(1), None), [(0, old), (1, old)]);
        let all_old = [(0, old), (1, old), (2, old), (3, old)];
        assert_eq!(of(Some(i32::MAX), Some(i32::MAX), Some(0)), all_old);
        assert_eq!(of(Some(-1), None, Some(i32::MAX)), []);
        assert_eq!(of(None, Some(3), Some(1)).len(), 4);
    }
}
