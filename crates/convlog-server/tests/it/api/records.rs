//! Records in and out.

use super::{BULK_V1, RECORDS, load, log, own_ids, problem, records};
use crate::harness::Server;

#[tokio::test]
async fn good_lines_are_kept_and_bad_ones_named() {
    let server = Server::start().await;
    let body = [
        log(1).line(),
        String::new(),
        "{\"request\":".to_owned(),
        log(2).line(),
        "[]".to_owned(),
        log(1).line(),
        log(1).line().replace("where is my order", "something else"),
    ];
    let answer = server.post(BULK_V1, &body.join("\n")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.text(),
        concat!(
            r#"{"accepted":2,"duplicates":1,"erased":0,"rejected":["#,
            r#"{"line":3,"error":"EOF while parsing a value at line 1 column 11"},"#,
            r#"{"line":5,"error":"a log must be an object, not an array"},"#,
            r#"{"line":7,"error":"another body is stored under the same id"}]}"#,
        )
    );
    let shown = server.get(&format!("{RECORDS}?sort=time.request")).await;
    assert_eq!(own_ids(&shown), ["log-1", "log-2"]);
}

#[tokio::test]
async fn bad_lines_are_named_in_order_however_the_lines_are_shared_out() {
    let server = Server::start().await;
    let is_bad = |n: u32| n % 7 == 3 || n > 995;
    let lines: Vec<String> = (1..=1_200)
        .map(|n| match is_bad(n) {
            true => "[]".to_owned(),
            false => log(n).line(),
        })
        .collect();
    let answer = server.post(BULK_V1, &lines.join("\n")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    let bad: Vec<i64> = (1..=1_200).filter(|n| is_bad(*n)).map(i64::from).collect();
    let rejected = answer.get("rejected").unwrap().as_array().unwrap();
    let named: Vec<i64> = rejected
        .iter()
        .map(|one| one.get("line").unwrap().as_i64().unwrap())
        .collect();
    assert_eq!(named, bad);
    let accepted = answer.get("accepted").unwrap().as_i64().unwrap();
    assert_eq!(accepted, 1_200 - i64::try_from(bad.len()).unwrap());
}

#[tokio::test]
async fn bytes_that_are_no_utf8_are_one_bad_line() {
    use axum::body::Body;
    use axum::http::Request;
    let server = Server::start().await;
    let mut body = b"{\"a\":\"\xFF\"}\n".to_vec();
    body.extend(log(1).line().into_bytes());
    let request = Request::builder()
        .method("POST")
        .uri(BULK_V1)
        .header("authorization", format!("Bearer {}", crate::harness::ADMIN));
    let answer = server.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(
        answer.text(),
        concat!(
            r#"{"accepted":1,"duplicates":0,"erased":0,"rejected":["#,
            r#"{"line":1,"error":"not UTF-8 at column 7"}]}"#
        )
    );
}

#[tokio::test]
async fn dialects_without_an_import_are_refused_by_name() {
    let server = Server::start().await;
    let path = format!("{RECORDS}?dialect=latin");
    let refused = server.post(&path, "{}").await;
    let text = "dialect: must be one of watson-v1, watson-v2, convlog, chatbotkit, lex-v1";
    assert_eq!(problem(&refused), (400, text.to_owned()));
    let refused = server.post(RECORDS, "{}").await;
    assert_eq!(problem(&refused), (400, "dialect: is missing".to_owned()));
}

#[tokio::test]
async fn pages_follow_each_other_while_records_arrive() {
    let server = Server::start().await;
    let logs: Vec<_> = (1..=5).map(log).collect();
    load(&server, &logs).await;
    let first = server
        .get(&format!("{RECORDS}?sort=-time.request&limit=2"))
        .await;
    assert_eq!(own_ids(&first), ["log-5", "log-4"]);
    load(&server, &[log(9)]).await;
    let cursor = first.text_at("cursor");
    let second = server
        .get(&format!(
            "{RECORDS}?sort=-time.request&limit=2&cursor={cursor}"
        ))
        .await;
    assert_eq!(own_ids(&second), ["log-3", "log-2"]);
    let cursor = second.text_at("cursor");
    let third = server
        .get(&format!(
            "{RECORDS}?sort=-time.request&limit=2&cursor={cursor}"
        ))
        .await;
    assert_eq!(own_ids(&third), ["log-1"]);
    assert!(third.text().ends_with(r#""cursor":null}"#));
}

#[tokio::test]
async fn commit_order_goes_on_with_new_arrivals() {
    let server = Server::start().await;
    let path = format!("{RECORDS}?sort=position");
    let empty = server.get(&path).await;
    assert!(records(&empty).is_empty());
    load(&server, &[log(2), log(1)]).await;
    let cursor = empty.text_at("cursor");
    let first = server.get(&format!("{path}&cursor={cursor}")).await;
    assert_eq!(own_ids(&first), ["log-2", "log-1"]);
    let cursor = first.text_at("cursor");
    let none = server.get(&format!("{path}&cursor={cursor}")).await;
    assert!(records(&none).is_empty());
    load(&server, &[log(3)]).await;
    let cursor = none.text_at("cursor");
    let more = server.get(&format!("{path}&cursor={cursor}")).await;
    assert_eq!(own_ids(&more), ["log-3"]);
}

#[tokio::test]
async fn wrong_questions_name_the_parameter() {
    let server = Server::start().await;
    load(&server, &[log(1), log(2)]).await;
    let first = server.get(&format!("{RECORDS}?limit=1")).await;
    let cursor = first.text_at("cursor");
    for (query, detail) in [
        ("filter=bot::", None),
        ("sort=size", None),
        ("limit=0", Some("limit: must be at least 1")),
        ("limit=x", Some("limit: wrong value")),
        (
            "size=1",
            Some("size: unknown field, expected one of `filter`, `sort`, `limit`, `cursor`"),
        ),
        ("cursor=zzz", None),
        (
            &format!("filter=bot::shop&cursor={cursor}") as &str,
            Some("cursor: belongs to another question"),
        ),
    ] {
        let refused = server.get(&format!("{RECORDS}?{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
        let json = refused.json();
        let path = json
            .get("errors")
            .and_then(|errors| errors.as_array()?.first()?.get("path"));
        let parameter = query.rsplit('&').next().unwrap().split('=').next().unwrap();
        assert_eq!(
            path.and_then(|path| path.as_str()),
            Some(parameter),
            "{query}"
        );
        if let Some(detail) = detail {
            assert_eq!(refused.text_at("detail"), detail, "{query}");
        }
    }
}

#[tokio::test]
async fn one_record_is_found_by_its_id() {
    let server = Server::start().await;
    load(&server, &[log(1)]).await;
    let page = server.get(RECORDS).await;
    let all = records(&page);
    let id = all[0].get("id").and_then(|id| id.as_str()).unwrap();
    let one = server.get(&format!("{RECORDS}/{id}")).await;
    assert_eq!(one.json(), all[0]);
    let other = "01998877-6655-7fff-bfff-ffffffffffff";
    for missing in [other, "x"] {
        let missing = server.get(&format!("{RECORDS}/{missing}")).await;
        assert_eq!(problem(&missing), (404, "Resource not found".to_owned()));
    }
}

#[tokio::test]
async fn the_audit_is_shown_to_administrators_who_ask_for_it() {
    let server = Server::start().await;
    let reader = server.key(r#""read""#, "").await;
    let all = server.get(RECORDS).await;
    assert!(records(&all).is_empty(), "{}", all.text());
    let path = format!("{RECORDS}?filter=event.type::key.create");
    let audit = server.get(&path).await;
    assert!(!records(&audit).is_empty());
    let hidden = server.call(&reader, "GET", &path, "").await;
    assert!(records(&hidden).is_empty());
    let id = records(&audit)[0]
        .get("id")
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned();
    let refused = server
        .call(&reader, "GET", &format!("{RECORDS}/{id}"), "")
        .await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn a_key_for_one_bot_reads_and_writes_only_that() {
    let server = Server::start().await;
    let mut bank = log(2);
    bank.bot = "bank";
    load(&server, &[log(1), bank.clone()]).await;
    let key = server.key(r#""read","write""#, r#""shop""#).await;
    let mine = server.call(&key, "GET", RECORDS, "").await;
    assert_eq!(own_ids(&mine), ["log-1"]);
    bank.id = "log-3".to_owned();
    let refused = server.call(&key, "POST", BULK_V1, &bank.line()).await;
    assert_eq!(
        refused.text(),
        concat!(
            r#"{"accepted":0,"duplicates":0,"erased":0,"#,
            r#""rejected":[{"line":1,"error":"bot: outside of the key's scope"}]}"#
        )
    );
}

async fn post_encoded(server: &Server, encoding: &str, body: Vec<u8>) -> crate::harness::Answer {
    let request = axum::http::Request::builder()
        .method("POST")
        .uri(BULK_V1)
        .header("authorization", format!("Bearer {}", crate::harness::ADMIN))
        .header("content-encoding", encoding);
    let body = axum::body::Body::from(body);
    server.send(request.body(body).unwrap()).await
}

async fn packed(encoding: &str, plain: &[u8]) -> Vec<u8> {
    use async_compression::tokio::bufread::{GzipEncoder, ZstdEncoder};
    use tokio::io::AsyncReadExt as _;
    let mut packed = Vec::new();
    match encoding {
        "gzip" => GzipEncoder::new(plain)
            .read_to_end(&mut packed)
            .await
            .unwrap(),
        _ => ZstdEncoder::new(plain)
            .read_to_end(&mut packed)
            .await
            .unwrap(),
    };
    packed
}

#[tokio::test]
async fn compressed_lines_are_taken_in_by_the_thousand() {
    let server = Server::start().await;
    let lines: Vec<String> = (1..=1500).map(|n| log(n).line()).collect();
    let plain = lines.join("\r\n").into_bytes();
    let gzip = post_encoded(&server, "gzip", packed("gzip", &plain).await).await;
    let zstd = post_encoded(&server, "zstd", packed("zstd", &plain).await).await;
    assert_eq!(
        gzip.text(),
        r#"{"accepted":1500,"duplicates":0,"erased":0,"rejected":[]}"#
    );
    assert_eq!(
        zstd.text(),
        r#"{"accepted":0,"duplicates":1500,"erased":0,"rejected":[]}"#
    );
}

#[tokio::test]
async fn what_was_read_before_a_body_breaks_off_is_kept() {
    let server = Server::start().await;
    let lines: Vec<String> = (1..=3000).map(|n| log(n).line()).collect();
    let whole = packed("gzip", lines.join("\n").as_bytes()).await;
    let cut = whole[..whole.len() / 2].to_vec();
    let refused = post_encoded(&server, "gzip", cut).await;
    let text = "the body ends early or its compression is broken";
    assert_eq!(problem(&refused), (400, text.to_owned()));
    let kept = own_ids(
        &server
            .get(&format!("{RECORDS}?sort=position&limit=1"))
            .await,
    );
    assert_eq!(kept, ["log-1"]);
    let again = post_encoded(&server, "gzip", whole).await;
    let json = again.json();
    let count = |name: &str| json.get(name).and_then(|n| n.as_i64()).unwrap();
    assert_eq!(count("accepted") + count("duplicates"), 3000);
    assert!(count("duplicates") > 0);
}

#[tokio::test]
async fn more_bad_lines_than_can_be_named_are_too_many() {
    let server = Server::start().await;
    let refused = server.post(BULK_V1, &"x\n".repeat(100_001)).await;
    let text = "more than 100000 lines are rejected; good lines before are stored";
    assert_eq!(problem(&refused), (413, text.to_owned()));
}
