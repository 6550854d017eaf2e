//! Turns with audio, and erasures, against a fake of the services of AWS.

#[path = "../../tests/it/deliveries/fake_aws.rs"]
mod fake_aws;

use bytes::Bytes;
use convlog_dialects::lex::decode;
use convlog_model::filter::Filter;
use convlog_model::ids::{InstanceId, RecordId};

use self::fake_aws::{FakeAws, ROLE, Trouble, config};
use super::{AudioOrder, Destination, GROUP as GROUP_LABEL, Owner, STREAM, Underway};
use crate::app::{App, Deps};
use crate::config::{AwsConfig, AwsEndpoint, AwsEndpoints, AwsRole, ServerConfig};
use crate::testing::{OWNER, Rig, rig_with};

const GROUP: &str = "lex-logs";
const GROUP_ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:lex-logs";
const BUCKET: &str = "lex-audio";
const KMS: &str = "arn:aws:kms:us-east-1:123456789012:key/1";
const VOICE: &[u8] = b"\x00\x01what somebody said aloud\xff";

#[expect(
    clippy::disallowed_methods,
    reason = "the server of a test ends with the runtime of the test"
)]
fn background(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}

async fn place() -> (FakeAws, Rig) {
    let aws = FakeAws::start().await;
    aws.held()
        .buckets
        .insert(BUCKET.to_owned(), Default::default());
    let rig = rig_with(config(&aws));
    (aws, rig)
}

fn owner() -> Owner {
    Owner {
        bot: "Flowers".to_owned(),
        alias: "PROD".to_owned(),
        version: "1".to_owned(),
    }
}

/// What a turn of a test is.
#[derive(Clone, Copy)]
struct Said<'a> {
    id: &'a str,
    customer: Option<&'a str>,
    kms_key: Option<&'a str>,
    logs_text: bool,
    has_audio: bool,
    stream: &'a str,
    /// Bytes that its entry has beside what was said.
    n_more: usize,
}

fn spoken(id: &str) -> Said<'_> {
    Said {
        id,
        customer: None,
        kms_key: None,
        logs_text: true,
        has_audio: true,
        stream: "aws/lex/Flowers/PROD/1/speech",
        n_more: 0,
    }
}

const TO: Destination<'_> = Destination {
    group: GROUP_ARN,
    role: ROLE,
    is_speech: true,
};

/// The lane of the turns.
async fn lane(app: &App) -> std::sync::Arc<super::lane::Lane> {
    let instance = InstanceId::default_instance();
    let lane = super::lane::of(app, &instance, &TO);
    lane.await.unwrap().unwrap()
}

fn key_of(id: &str) -> String {
    format!("aws/lex/Flowers/PROD/1/2026/01/02/s/{id}.pcm")
}

/// A spoken turn, as the Lex side keeps it.
async fn speak(app: &App, said: Said<'_>) -> Option<RecordId> {
    let mut underway = Underway::new(app, &OWNER, owner());
    let key = key_of(said.id);
    let order = AudioOrder {
        bucket: BUCKET,
        key: &key,
        kms_key: said.kms_key,
        role: ROLE,
        content_type: "audio/x-l16; rate=16000",
        bytes: Bytes::from_static(VOICE),
        request_id: said.id,
        customer: said.customer,
    };
    let is_kept = said.has_audio && underway.keep_audio(&OWNER, &order).await.unwrap();
    if said.logs_text {
        let link = match is_kept {
            true => format!(r#""s3PathForAudio":"s3://{BUCKET}/{key}","#),
            false => String::new(),
        };
        let time = app.now().to_millis_text();
        let entry = format!(
            r#"{{"botName":"Flowers","botAlias":"PROD","botVersion":"1","requestId":"{}",{link}"inputTranscript":"voice of {}","timestamp":"{time}","more":"{}"}}"#,
            said.id,
            said.id,
            "x".repeat(said.n_more)
        );
        let mut draft = decode::entry(&InstanceId::default_instance(), &entry).unwrap();
        let mut label = |name: &str, value: &str| {
            draft.labels.insert(name.to_owned(), value.to_owned());
        };
        label(GROUP_LABEL, GROUP);
        label(STREAM, said.stream);
        if let Some(customer) = said.customer {
            draft.set_text("customer", customer);
        }
        underway.mark(&TO, &mut draft).await.unwrap();
        let kept = app.ingest().turn(&OWNER, draft, None, None).await.unwrap();
        underway.go();
        return kept.map(|kept| kept.id);
    }
    underway.go();
    None
}

async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if look().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{what} did not come about");
}

async fn n_blobs(app: &App) -> usize {
    app.blobs().list(None, 100).await.unwrap().len()
}

/// The server after a restart.
fn again(rig: &Rig, aws: &FakeAws) -> App {
    rig.app.jobs().stop();
    let deps: Deps = rig.deps.clone();
    App::new(config(aws), deps)
}

#[tokio::test]
async fn audio_comes_first_and_the_text_that_links_to_it_after() {
    let (aws, rig) = place().await;
    aws.held()
        .s3_trouble
        .push_back(Trouble::Status(500, "InternalError"));
    speak(&rig.app, spoken("r1")).await.unwrap();
    until("the text", async || !aws.events().is_empty()).await;
    {
        let held = aws.held();
        assert_eq!(held.order, [key_of("r1"), "text".to_owned()]);
        let object = &held.buckets[BUCKET][&key_of("r1")];
        assert_eq!(object.bytes, VOICE);
        assert_eq!(object.content_type, "audio/x-l16; rate=16000");
        assert_eq!(object.kms_key, None);
    }
    assert!(
        aws.events()[0]
            .1
            .contains(&format!("s3://{BUCKET}/{}", key_of("r1")))
    );
    until("the blob goes", async || n_blobs(&rig.app).await == 0).await;
    assert_eq!(rig.app.deliveries().waiting_bytes(), 0);
}

#[tokio::test]
async fn objects_of_an_alias_come_in_order_also_without_text() {
    let (aws, rig) = place().await;
    aws.held()
        .s3_trouble
        .push_back(Trouble::Status(503, "SlowDown"));
    let ids: Vec<String> = (0..10).map(|i| format!("r{i}")).collect();
    for id in &ids {
        let said = Said {
            logs_text: false,
            ..spoken(id)
        };
        speak(&rig.app, said).await;
    }
    until("all objects", async || aws.held().order.len() == ids.len()).await;
    let keys: Vec<String> = ids.iter().map(|id| key_of(id)).collect();
    assert_eq!(aws.held().order, keys);
}

#[tokio::test]
async fn a_key_is_named_and_an_answer_that_does_not_say_so_is_a_failure() {
    let (aws, rig) = place().await;
    let sealed = |id| Said {
        kms_key: Some(KMS),
        ..spoken(id)
    };
    speak(&rig.app, sealed("r1")).await.unwrap();
    until("the text", async || !aws.events().is_empty()).await;
    let key = aws.held().buckets[BUCKET][&key_of("r1")].kms_key.clone();
    assert_eq!(key.as_deref(), Some(KMS));
    aws.held().ignores_encryption = true;
    speak(&rig.app, sealed("r2")).await.unwrap();
    until("the second text", async || aws.events().len() == 2).await;
    let (_, entry) = aws.events().remove(1);
    assert!(!entry.contains("s3PathForAudio"), "{entry}");
    assert!(entry.contains("voice of r2"), "{entry}");
    assert_eq!(rig.app.deliveries().n_dead(), 1);
    assert_eq!(n_blobs(&rig.app).await, 1, "it can be tried again");
}

#[tokio::test]
async fn audio_for_a_missing_bucket_dies_and_its_text_goes_without_the_link() {
    let (aws, rig) = place().await;
    aws.held().buckets.clear();
    speak(&rig.app, spoken("r1")).await.unwrap();
    until("the text", async || !aws.events().is_empty()).await;
    assert!(!aws.events()[0].1.contains("s3PathForAudio"));
    // Five tries of the audio, and the stream that was not there yet.
    assert_eq!(aws.held().n_refused, 6);
}

#[tokio::test]
async fn a_restart_sends_what_waits_and_removes_what_nobody_needs() {
    let (aws, rig) = place().await;
    aws.held().s3_down = Some(Trouble::Status(503, "ServiceUnavailable"));
    speak(&rig.app, spoken("r1")).await.unwrap();
    until("a refusal", async || aws.held().n_refused > 0).await;
    let left = RecordId::from_parts(1, 1);
    rig.app
        .blobs()
        .put(left, b"left behind".to_vec())
        .await
        .unwrap();
    let app = again(&rig, &aws);
    aws.held().s3_down = None;
    super::start(&app).await;
    assert_eq!(app.blobs().get(left).await.unwrap(), None);
    until("the text", async || !aws.events().is_empty()).await;
    assert_eq!(aws.held().order.first(), Some(&key_of("r1")));
    assert!(aws.events()[0].1.contains("s3PathForAudio"));
}

#[tokio::test]
async fn audio_whose_bytes_are_lost_dies_and_its_text_goes_without_the_link() {
    let (aws, rig) = place().await;
    aws.held().s3_down = Some(Trouble::Status(503, "ServiceUnavailable"));
    speak(&rig.app, spoken("r1")).await.unwrap();
    until("a refusal", async || aws.held().n_refused > 0).await;
    let app = again(&rig, &aws);
    for blob in app.blobs().list(None, 10).await.unwrap() {
        app.blobs().remove(blob.id).await.unwrap();
    }
    aws.held().s3_down = None;
    super::start(&app).await;
    until("the text", async || !aws.events().is_empty()).await;
    let (_, entry) = aws.events().remove(0);
    assert!(!entry.contains("s3PathForAudio"), "{entry}");
    assert!(entry.contains("voice of r1"), "{entry}");
    assert_eq!(app.deliveries().n_dead(), 1);
}

#[tokio::test]
async fn beyond_the_bound_nothing_is_kept_for_delivery() {
    let aws = FakeAws::start().await;
    aws.held().s3_down = Some(Trouble::Status(503, "ServiceUnavailable"));
    let mut config = config(&aws);
    config.aws.queue_bytes = 5000;
    let rig = rig_with(config);
    for id in ["r1", "r2", "r3"] {
        speak(&rig.app, spoken(id)).await.unwrap();
    }
    assert_eq!(n_blobs(&rig.app).await, 1);
    let n_kept = rig
        .app
        .query()
        .count(&OWNER, Filter::equals("bot", "Flowers"));
    assert_eq!(n_kept.await.unwrap(), 3);
}

#[tokio::test]
async fn a_turn_that_is_not_kept_leaves_no_audio() {
    let (_aws, rig) = place().await;
    let mut underway = Underway::new(&rig.app, &OWNER, owner());
    let order = AudioOrder {
        bucket: BUCKET,
        key: "k",
        kms_key: None,
        role: ROLE,
        content_type: "audio/x-l16",
        bytes: Bytes::from_static(VOICE),
        request_id: "r",
        customer: None,
    };
    assert!(underway.keep_audio(&OWNER, &order).await.unwrap());
    assert_eq!(n_blobs(&rig.app).await, 1);
    drop(underway);
    until("the blob goes", async || n_blobs(&rig.app).await == 0).await;
    assert_eq!(rig.app.deliveries().waiting_bytes(), 0);
}

#[tokio::test]
async fn an_erasure_drops_what_waits_and_names_what_was_delivered() {
    let (aws, rig) = place().await;
    let of = |id, customer| Said {
        customer: Some(customer),
        ..spoken(id)
    };
    speak(&rig.app, of("r1", "ann")).await.unwrap();
    until("the text", async || !aws.events().is_empty()).await;
    until("the blob goes", async || n_blobs(&rig.app).await == 0).await;
    aws.held().s3_down = Some(Trouble::Status(503, "ServiceUnavailable"));
    speak(&rig.app, of("r2", "ann")).await.unwrap();
    speak(&rig.app, of("r3", "bob")).await.unwrap();
    until("a refusal", async || aws.held().n_refused > 0).await;
    let erasure = crate::erasures::of_customer(&rig.app, &OWNER, "ann", 0)
        .await
        .unwrap();
    assert_eq!(n_blobs(&rig.app).await, 1, "bob's alone");
    // The text and the audio of the turn that waits; a try that is under way ends first.
    until("both are dropped", async || {
        shown(&rig.app, erasure.id).await["deliveries_dropped"] == 2
    })
    .await;
    let shown = shown(&rig.app, erasure.id).await;
    assert_eq!(shown["copies_count"], 2, "{shown}");
    let copies = shown["copies"].as_array().unwrap();
    assert_eq!(copies[0]["kind"], "text");
    assert_eq!(copies[0]["place"], GROUP);
    assert_eq!(copies[1]["kind"], "audio");
    assert_eq!(copies[1]["place"], BUCKET);
    assert_eq!(copies[1]["name"], key_of("r1"));
    aws.held().s3_down = None;
    until("bob's text", async || aws.events().len() == 2).await;
    assert!(aws.events()[1].1.contains("voice of r3"));
    assert!(!aws.held().buckets[BUCKET].contains_key(&key_of("r2")));
}

/// An erasure as it is shown.
async fn shown(app: &App, id: RecordId) -> serde_json::Value {
    let id = axum::extract::Path(id.to_string());
    let shown = crate::erasures::get(axum::extract::State(app.clone()), OWNER.clone(), id);
    serde_json::to_value(&shown.await.unwrap().0).unwrap()
}

async fn n_documents(app: &App) -> usize {
    super::audio::all(app).list("").await.unwrap().len()
}

#[tokio::test]
async fn audio_that_arrives_while_it_is_erased_is_a_copy_and_not_dropped() {
    for keep_audio_days in [0, 2] {
        let aws = FakeAws::start().await;
        aws.held()
            .buckets
            .insert(BUCKET.to_owned(), Default::default());
        let mut config = config(&aws);
        config.lex.keep_audio_days = keep_audio_days;
        let rig = rig_with(config);
        aws.held().s3_trouble.push_back(Trouble::Slow(500));
        let customer = Some("ann");
        let said = Said {
            customer,
            ..spoken("r1")
        };
        speak(&rig.app, said).await.unwrap();
        until("the object", async || !aws.held().order.is_empty()).await;
        let erasure = crate::erasures::of_customer(&rig.app, &OWNER, "ann", 0);
        let erasure = erasure.await.unwrap();
        assert_eq!(n_blobs(&rig.app).await, 0);
        until("the document goes", async || {
            n_documents(&rig.app).await == 0
        })
        .await;
        let first = shown(&rig.app, erasure.id).await;
        assert_eq!(first["copies_count"], 1, "{first}");
        assert_eq!(first["copies"][0]["name"], key_of("r1"), "{first}");
        assert_eq!(first["deliveries_dropped"], 1, "the text alone: {first}");
        let again = crate::erasures::of_customer(&rig.app, &OWNER, "ann", 0);
        let again = shown(&rig.app, again.await.unwrap().id).await;
        assert_eq!(again["copies_count"], 0, "told once: {again}");
        until("nothing waits", async || {
            rig.app.deliveries().audio.loads().0 == (0, 0)
        })
        .await;
    }
}

#[tokio::test]
async fn audio_that_was_being_sent_when_the_process_ended_counts_as_a_copy() {
    let (aws, rig) = place().await;
    aws.held().s3_down = Some(Trouble::Slow(30_000));
    let customer = Some("ann");
    let said = Said {
        customer,
        ..spoken("r1")
    };
    speak(&rig.app, said).await.unwrap();
    until("the object", async || !aws.held().order.is_empty()).await;
    let erasure = crate::erasures::of_customer(&rig.app, &OWNER, "ann", 0);
    let erasure = erasure.await.unwrap();
    assert_eq!(n_documents(&rig.app).await, 1);
    let app = again(&rig, &aws);
    super::start(&app).await;
    assert_eq!(n_documents(&app).await, 0);
    let shown = shown(&app, erasure.id).await;
    assert_eq!(shown["copies_count"], 1, "{shown}");
    assert_eq!(shown["copies"][0]["name"], key_of("r1"), "{shown}");
}

#[tokio::test]
async fn audio_that_is_marked_as_erased_is_removed_and_told_as_dropped() {
    let (aws, rig) = place().await;
    aws.held().s3_down = Some(Trouble::Status(503, "ServiceUnavailable"));
    let said = Said {
        logs_text: false,
        ..spoken("r1")
    };
    speak(&rig.app, said).await;
    until("a refusal", async || aws.held().n_refused > 0).await;
    let erasure = crate::erasures::of_customer(&rig.app, &OWNER, "ann", 0);
    let erasure = erasure.await.unwrap();
    let order = crate::app::scoped_id(&InstanceId::default_instance(), &erasure.id.to_string());
    let document = super::audio::all(&rig.app)
        .list("")
        .await
        .unwrap()
        .remove(0);
    let marked = super::audio::change(&rig.app, &document.id, |mut doc| {
        let order = order.clone();
        doc.state = super::audio::State::Erased { order };
        Some(doc)
    });
    marked.await.unwrap();
    until("the drop is told", async || {
        shown(&rig.app, erasure.id).await["deliveries_dropped"] == 1
    })
    .await;
    assert_eq!(n_documents(&rig.app).await, 0);
    assert_eq!(n_blobs(&rig.app).await, 0);
}

#[tokio::test]
async fn audio_whose_document_is_gone_does_not_count_as_waiting() {
    let (aws, rig) = place().await;
    aws.held().s3_down = Some(Trouble::Status(503, "ServiceUnavailable"));
    speak(&rig.app, spoken("r1")).await.unwrap();
    until("a refusal", async || aws.held().n_refused > 0).await;
    let document = super::audio::all(&rig.app)
        .list("")
        .await
        .unwrap()
        .remove(0);
    let gone = super::audio::change(&rig.app, &document.id, |_| None);
    gone.await.unwrap();
    until("nothing waits", async || {
        rig.app.deliveries().audio.loads().0 == (0, 0)
    })
    .await;
}

#[tokio::test]
async fn audio_is_kept_as_long_as_the_configuration_says() {
    let aws = FakeAws::start().await;
    aws.held()
        .buckets
        .insert(BUCKET.to_owned(), Default::default());
    let mut config = config(&aws);
    config.lex.keep_audio_days = 2;
    let rig = rig_with(config);
    let record = speak(&rig.app, spoken("r1")).await.unwrap();
    until("the text", async || !aws.events().is_empty()).await;
    let ask = async || {
        let id = axum::extract::Path(record.to_string());
        super::admin::of_record(axum::extract::State(rig.app.clone()), OWNER.clone(), id).await
    };
    let answer = ask().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "audio/x-l16; rate=16000");
    let body = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .unwrap();
    assert_eq!(body.to_bytes(), VOICE);
    rig.clock.step(2 * 24 * 3600 * 1_000_000);
    assert!(ask().await.is_err());
    super::forget_old(&rig.app).await;
    assert_eq!(n_blobs(&rig.app).await, 0);
}

#[tokio::test]
async fn audio_that_is_kept_goes_with_its_customer() {
    let aws = FakeAws::start().await;
    aws.held()
        .buckets
        .insert(BUCKET.to_owned(), Default::default());
    let mut config = config(&aws);
    config.lex.keep_audio_days = 2;
    let rig = rig_with(config);
    for (id, customer) in [("r1", "ann"), ("r2", "bob")] {
        let customer = Some(customer);
        speak(
            &rig.app,
            Said {
                customer,
                ..spoken(id)
            },
        )
        .await;
    }
    until("both texts", async || aws.events().len() == 2).await;
    assert_eq!(n_blobs(&rig.app).await, 2);
    let erasure = crate::erasures::of_customer(&rig.app, &OWNER, "ann", 0);
    erasure.await.unwrap();
    assert_eq!(n_blobs(&rig.app).await, 1);
}

#[tokio::test]
async fn a_dead_letter_goes_with_its_record() {
    let (aws, rig) = place().await;
    aws.held().groups.clear();
    speak(&rig.app, spoken("r1")).await.unwrap();
    until("the dead letter", async || {
        rig.app.deliveries().n_dead() == 1
    })
    .await;
    super::forget_old(&rig.app).await;
    assert_eq!(rig.app.deliveries().n_dead(), 1);
    rig.clock.step(2 * 24 * 3600 * 1_000_000);
    let rules = convlog_model::store::Retention {
        default_days: 1,
        ..Default::default()
    };
    assert_eq!(rig.app.store().expire(&rules).await.unwrap(), 1);
    super::forget_old(&rig.app).await;
    assert_eq!(rig.app.deliveries().n_dead(), 0);
}

#[tokio::test]
async fn text_that_a_step_holds_is_a_copy_while_another_call_of_it_is_made() {
    let (aws, rig) = place().await;
    aws.held().logs_down = Some(Trouble::Status(500, "InternalFailure"));
    let of = |id, customer, stream| Said {
        customer: Some(customer),
        has_audio: false,
        stream,
        ..spoken(id)
    };
    speak(&rig.app, of("r1", "bob", "a")).await.unwrap();
    speak(&rig.app, of("r2", "ann", "b")).await.unwrap();
    until("a refusal", async || aws.held().n_refused > 0).await;
    aws.held().logs_down = Some(Trouble::Slow(300));
    until("the first text", async || !aws.events().is_empty()).await;
    let erasure = crate::erasures::of_customer(&rig.app, &OWNER, "ann", 0);
    let shown = shown(&rig.app, erasure.await.unwrap().id).await;
    assert_eq!(shown["copies_count"], 1, "{shown}");
    assert_eq!(shown["copies"][0]["name"], "b", "{shown}");
    assert_eq!(shown["deliveries_dropped"], 0, "{shown}");
    until("the second text", async || aws.events().len() == 2).await;
}

/// A dead letter of ann's, and the next try of it on its way.
async fn retried(rig: &Rig, aws: &FakeAws) -> RecordId {
    aws.held().groups.clear();
    let said = Said {
        customer: Some("ann"),
        has_audio: false,
        ..spoken("r1")
    };
    let record = speak(&rig.app, said).await.unwrap();
    until("the dead letter", async || {
        rig.app.deliveries().n_dead() == 1
    })
    .await;
    aws.held().logs_down = Some(Trouble::Slow(500));
    let lane = lane(&rig.app).await;
    lane.retry([record]);
    until("the try", async || lane.is_retrying(record)).await;
    record
}

#[tokio::test]
async fn a_dead_letter_on_its_way_is_a_copy() {
    let (aws, rig) = place().await;
    let record = retried(&rig, &aws).await;
    aws.held()
        .groups
        .insert(GROUP.to_owned(), Default::default());
    let erasure = crate::erasures::of_customer(&rig.app, &OWNER, "ann", 0);
    let shown = shown(&rig.app, erasure.await.unwrap().id).await;
    let lane = lane(&rig.app).await;
    until("the end of the try", async || !lane.is_retrying(record)).await;
    assert_eq!(shown["copies_count"], 1, "{shown}");
    assert_eq!(shown["deliveries_dropped"], 0, "{shown}");
}

#[tokio::test]
async fn a_dead_letter_that_is_erased_on_its_way_is_not_made_again() {
    let (aws, rig) = place().await;
    let record = retried(&rig, &aws).await;
    let erasure = crate::erasures::of_customer(&rig.app, &OWNER, "ann", 0);
    erasure.await.unwrap();
    let lane = lane(&rig.app).await;
    until("the end of the try", async || !lane.is_retrying(record)).await;
    assert_eq!(rig.app.deliveries().n_dead(), 0);
    let letters = super::dead::of_lane(&rig.app, &lane).await.unwrap();
    assert!(letters.is_empty(), "{letters:?}");
}

#[tokio::test]
async fn letters_whose_try_did_not_end_are_tried_again() {
    let (_aws, rig) = place().await;
    let lane = lane(&rig.app).await;
    let [first, second] = [1, 2].map(|n| RecordId::from_parts(n, 1));
    // Its worker has not run yet.
    lane.retry([first, second, first]);
    assert_eq!(lane.next_retry(), Some(first));
    assert_eq!(lane.next_retry(), Some(first), "it stays the next");
    lane.begin_retry(first);
    assert!(lane.is_retrying(first) && !lane.is_retrying(second));
    assert_eq!(lane.next_retry(), Some(second));
    lane.end_retry(second);
    assert!(!lane.has_retries());
    lane.put_back_retries();
    assert_eq!(lane.next_retry(), Some(first));
    assert!(!lane.is_retrying(first));
}

#[tokio::test]
async fn letters_are_tried_again_in_steps_of_few_bytes() {
    let (aws, rig) = place().await;
    // No lane works by itself.
    rig.app.jobs().stop();
    let mut records = Vec::new();
    for id in ["r0", "r1", "r2", "r3", "r4", "r5"] {
        let said = Said {
            has_audio: false,
            n_more: 1_000_000,
            ..spoken(id)
        };
        records.push(speak(&rig.app, said).await.unwrap());
    }
    let lane = lane(&rig.app).await;
    lane.retry(records);
    let caller = super::system(&lane.instance);
    let is_left = super::retry::retry(&rig.app, &lane, &caller).await.unwrap();
    assert_eq!((is_left, aws.events().len()), (true, 5));
    let is_left = super::retry::retry(&rig.app, &lane, &caller).await.unwrap();
    assert_eq!((is_left, aws.events().len()), (false, 6));
}

#[tokio::test]
async fn an_imported_record_that_names_audio_holds_no_lane() {
    let (aws, rig) = place().await;
    aws.held().s3_down = Some(Trouble::Status(503, "ServiceUnavailable"));
    let audio_alone = Said {
        logs_text: false,
        ..spoken("r1")
    };
    speak(&rig.app, audio_alone).await;
    let audio = super::audio::all(&rig.app).list("").await.unwrap();
    let (_, audio) = super::audio::parse_id(&audio[0].id).unwrap();
    let entry = r#"{"botName":"Flowers","botAlias":"PROD","botVersion":"1","requestId":"forged","inputTranscript":"weeds","timestamp":"2026-01-01T00:00:00.000Z"}"#;
    let mut forged = decode::entry(&InstanceId::default_instance(), entry).unwrap();
    let key = lane(&rig.app).await.key().to_owned();
    let labels = [
        (super::LANE, key),
        (super::DELIVERY, "forged".to_owned()),
        (super::AUDIO, audio.to_string()),
        (STREAM, "a".to_owned()),
    ];
    let labels = labels.map(|(name, value)| (name.to_owned(), value));
    forged.labels.extend(labels);
    let kept = rig.app.ingest().turn(&OWNER, forged, None, None).await;
    kept.unwrap().unwrap();
    let typed = Said {
        has_audio: false,
        ..spoken("r2")
    };
    speak(&rig.app, typed).await.unwrap();
    until("the text", async || !aws.events().is_empty()).await;
    assert_eq!(aws.said(), ["voice of r2"]);
    assert_eq!(
        rig.app.deliveries().audio.link(audio),
        super::audio::Link::Waits
    );
}

async fn n_dead_audio(app: &App, n: u64) {
    until("the audio is given up", async || {
        app.deliveries().audio.loads().1.0 == n
    })
    .await;
}

#[tokio::test]
async fn audio_that_was_given_up_goes_with_its_record() {
    let (aws, rig) = place().await;
    aws.held().buckets.clear();
    speak(&rig.app, spoken("r1")).await.unwrap();
    until("the text", async || !aws.events().is_empty()).await;
    n_dead_audio(&rig.app, 1).await;
    rig.clock.step(100 * 24 * 3600 * 1_000_000);
    super::forget_old(&rig.app).await;
    assert_eq!(
        (n_documents(&rig.app).await, n_blobs(&rig.app).await),
        (1, 1)
    );
    let rules = convlog_model::store::Retention {
        default_days: 1,
        ..Default::default()
    };
    rig.app.store().expire(&rules).await.unwrap();
    super::forget_old(&rig.app).await;
    assert_eq!(
        (n_documents(&rig.app).await, n_blobs(&rig.app).await),
        (0, 0)
    );
    n_dead_audio(&rig.app, 0).await;
}

#[tokio::test]
async fn audio_without_a_record_stays_thirty_days_after_it_was_given_up() {
    let (aws, rig) = place().await;
    aws.held().buckets.clear();
    let said = Said {
        logs_text: false,
        ..spoken("r1")
    };
    speak(&rig.app, said).await;
    n_dead_audio(&rig.app, 1).await;
    rig.clock.step(29 * 24 * 3600 * 1_000_000);
    super::forget_old(&rig.app).await;
    assert_eq!(n_documents(&rig.app).await, 1);
    rig.clock.step(24 * 3600 * 1_000_000);
    super::forget_old(&rig.app).await;
    assert_eq!(
        (n_documents(&rig.app).await, n_blobs(&rig.app).await),
        (0, 0)
    );
}

#[tokio::test]
async fn audio_that_has_lost_its_bytes_stays_until_its_text_is_sent() {
    let aws = FakeAws::start().await;
    let mut config = config(&aws);
    config.aws.queue_bytes = 8192;
    let rig = rig_with(config);
    aws.held().logs_down = Some(Trouble::Status(500, "InternalFailure"));
    speak(&rig.app, spoken("r1")).await.unwrap();
    n_dead_audio(&rig.app, 1).await;
    until("no room for it", async || n_blobs(&rig.app).await == 0).await;
    super::forget_old(&rig.app).await;
    assert_eq!(n_documents(&rig.app).await, 1);
    aws.held().logs_down = None;
    until("the text", async || !aws.events().is_empty()).await;
    assert!(!aws.events()[0].1.contains("s3PathForAudio"));
    until("the document goes", async || {
        super::forget_old(&rig.app).await;
        n_documents(&rig.app).await == 0
    })
    .await;
}

/// The newest event of that type, as it is kept.
async fn told(app: &App, kind: &str) -> Option<String> {
    let events = Filter::equals("event.type", kind);
    let event = app.query().first(&OWNER, events).await.unwrap();
    event.map(|event| event.draft.raw.as_str().to_owned())
}

#[tokio::test]
async fn a_line_remembers_its_failures_while_it_is_empty() {
    let (aws, rig) = place().await;
    aws.held().buckets.clear();
    let said = |id| Said {
        logs_text: false,
        ..spoken(id)
    };
    speak(&rig.app, said("r1")).await;
    n_dead_audio(&rig.app, 1).await;
    let is_idle = async || rig.app.deliveries().audio.is_idle();
    until("the line ends", is_idle).await;
    assert_eq!(aws.held().n_refused, 5);
    speak(&rig.app, said("r2")).await;
    n_dead_audio(&rig.app, 2).await;
    until("the line ends again", is_idle).await;
    assert_eq!(aws.held().n_refused, 6, "one try");
    assert_eq!(told(&rig.app, "log_delivery.sent").await, None);
    aws.held()
        .buckets
        .insert(BUCKET.to_owned(), Default::default());
    speak(&rig.app, said("r3")).await;
    until("the success is told", async || {
        told(&rig.app, "log_delivery.sent").await.is_some()
    })
    .await;
    aws.held().buckets.clear();
    speak(&rig.app, said("r4")).await;
    n_dead_audio(&rig.app, 3).await;
    assert_eq!(aws.held().n_refused, 11, "five again");
}

#[tokio::test]
async fn a_turn_for_one_destination_too_many_is_kept_and_told_as_dropped() {
    let (aws, rig) = place().await;
    let other = Destination {
        group: "arn:aws:logs:us-east-1:123456789012:log-group:other",
        ..TO
    };
    let instance = InstanceId::default_instance();
    let other = super::lane::of(&rig.app, &instance, &other);
    let other = other.await.unwrap().unwrap();
    rig.app.deliveries().lanes.fill(&other);
    let typed = Said {
        has_audio: false,
        ..spoken("r1")
    };
    let record = speak(&rig.app, typed).await.unwrap();
    let kept = rig.app.query().get(&OWNER, record).await.unwrap().unwrap();
    assert_eq!(kept.draft.labels.get(super::DELIVERY), None);
    let event = told(&rig.app, "log_delivery.dead").await.unwrap();
    assert!(event.contains("too_many_destinations"), "{event}");
    assert!(aws.events().is_empty());
}
