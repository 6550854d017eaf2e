//! Which events a list shows.

use super::*;

async fn found(server: &Server, query: &str) -> Vec<String> {
    let answer = server.get(&format!("{LIST}?order=asc&{query}")).await;
    ids(&answer)
}

async fn some() -> Server {
    let server = Server::start().await;
    for body in [
        r#"{"id":"a","type":"bot.create","botId":"b1","meta":{"status":"ok","n":1},"createdAt":1000}"#,
        r#"{"id":"b","type":"message.create","botId":"b1","conversationId":"c1","meta":{"relations":{"botId":"b1"},"t":true},"createdAt":2000}"#,
        r#"{"id":"c","type":"api.error","botId":"b2","conversationId":"c2","meta":{"deep":{"er":[{"x":"y"}]},"z":null},"createdAt":3000}"#,
        r#"{"id":"d","type":"integration.slack.failed","meta":{"k y":"a b&c=ž/+%","arr":["v"]},"createdAt":4000,"value":2.5}"#,
    ] {
        create(&server, body).await;
    }
    server
}

#[tokio::test]
async fn each_parameter_narrows() {
    let server = some().await;
    for (query, expected) in [
        ("type=bot.create", "a"),
        ("type=bot.create,%20api.error", "ac"),
        ("type=integration.slack.*", "d"),
        ("type=*.error", "c"),
        ("type=conversation.message.create", "b"),
        ("type=nothing", ""),
        ("botId=b1", "ab"),
        ("botId=b1%2Cb2", "abc"),
        ("botId=b1&conversationId=c1,c2", "b"),
        ("meta.status=ok", "a"),
        ("meta[status]=ok", "a"),
        ("meta.n=1", "a"),
        ("meta.t=true", "b"),
        ("meta.z=null", "c"),
        ("meta[deep][er][0][x]=y", "c"),
        ("meta.deep.er%5B0%5D.x=y", "c"),
        ("meta[relations.botId]=b1", "ab"),
        ("meta.relations.conversationId=c2", "c"),
        ("meta.k+y=a+b%26c%3D%C5%BE%2F%2B%25", "d"),
        ("meta.arr%5B0%5D=v", "d"),
        ("meta.a=%5Bobject+Object%5D", ""),
        ("type=*&from=2000&to=4000&meta.t=true", "b"),
        ("from=1970-01-01T00:00:02Z&to=1970-01-01T00:00:04Z", "bc"),
        ("to=2000", "a"),
        ("unknown=x&botId=&type=&meta.status=ok", "a"),
    ] {
        assert_eq!(found(&server, query).await.concat(), expected, "{query}");
    }
    let metrics = server.get("/v1/event/metric/list").await;
    assert_eq!(ids(&metrics), ["d"]);
    let value = items(&metrics)[0].get("value").and_then(Json::as_f64);
    assert_eq!(value, Some(2.5));
}

#[tokio::test]
async fn turns_of_every_dialect_are_found_by_what_they_are_about() {
    let server = Server::start().await;
    crate::api::load(&server, &[crate::api::log(1), crate::api::log(2)]).await;
    let kinds = |items: &[Json]| -> Vec<String> { items.iter().map(|i| text(i, "type")).collect() };
    let of_one = server
        .get(&format!("{LIST}?order=asc&conversationId=c-log-1"))
        .await;
    assert_eq!(
        kinds(&items(&of_one)),
        [
            "conversation.create",
            "message.create",
            "message.create",
            "response.time"
        ]
    );
    let users = found(&server, "type=message.create&meta.type=user&botId=shop").await;
    assert_eq!(users.len(), 2);
    let exact = "type=response.time&from=2026-03-02T08:00:01Z&to=2026-03-02T08:00:01.001Z";
    assert_eq!(found(&server, exact).await.len(), 1);
}

#[tokio::test]
async fn who_may_not_see_the_audit_sees_none_of_it() {
    let server = some().await;
    let reader = server.key(r#""read""#, "").await;
    let answer = server
        .call(&reader, "GET", &format!("{LIST}?order=asc"), "")
        .await;
    assert_eq!(ids(&answer), ["a", "b", "c", "d"]);
    let answer = server.call(&reader, "GET", "/v1/audit/log/list", "").await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("x-failure-code"), "NOT_AUTHORIZED");
    let audit = server
        .get("/v1/audit/log/list?action=create&order=asc")
        .await;
    let kinds: Vec<String> = items(&audit)
        .iter()
        .map(|item| text(item, "type"))
        .collect();
    assert_eq!(kinds, ["instance.create", "key.create", "key.create"]);
    let scoped = server.key(r#""read""#, r#""b1""#).await;
    let answer = server
        .call(&scoped, "GET", &format!("{LIST}?order=asc"), "")
        .await;
    assert_eq!(ids(&answer), ["a", "b"]);
}

#[tokio::test]
async fn an_event_is_kept_once_and_its_time_with_it() {
    let server = Server::start().await;
    let body = r#"{"id":"e","type":"my.own","createdAt":1760000003000,"meta":{"a":1}}"#;
    assert_eq!(create(&server, body).await, "e");
    assert_eq!(create(&server, body).await, "e");
    let other = server.post(CREATE, r#"{"id":"e","type":"other"}"#).await;
    assert_eq!(
        (other.status.as_u16(), other.text_at("code")),
        (409, "CONFLICT".to_owned())
    );
    let all = items(&server.get(&format!("{LIST}?type=my.own")).await);
    assert_eq!(all.len(), 1);
    assert_eq!(
        all[0].get("createdAt").and_then(Json::as_i64),
        Some(1_760_000_003_000)
    );
    let without = create(&server, r#"{"type":"my.own"}"#).await;
    assert_eq!(
        ids(&server.get(&format!("{LIST}?type=my.own&take=1")).await),
        [without]
    );
    let bulk = "/convlog/v1/records?dialect=chatbotkit";
    let answer = server
        .post(
            bulk,
            &format!("{body}\n{{\"id\":\"f\",\"type\":\"x\"}}\n{{}}"),
        )
        .await;
    assert_eq!(
        answer.text(),
        r#"{"accepted":1,"duplicates":1,"erased":0,"rejected":[{"line":3,"error":"type: is missing"}]}"#
    );
}

#[tokio::test]
async fn events_of_a_customer_s_conversation_are_erased_with_the_customer() {
    let server = Server::start().await;
    for body in [
        r#"{"id":"early","type":"t","conversationId":"c1"}"#,
        r#"{"id":"names","type":"t","conversationId":"c1","contactId":"k"}"#,
        r#"{"id":"late","type":"t","conversationId":"c1"}"#,
        r#"{"id":"other","type":"t","conversationId":"c2"}"#,
        r#"{"id":"whose","type":"t","conversationId":"c1","contactId":"somebody"}"#,
    ] {
        create(&server, body).await;
    }
    let dry = server
        .post(
            "/convlog/v1/erasures",
            r#"{"customer_id":"k","dry_run":true}"#,
        )
        .await;
    assert_eq!(dry.json().get("records").and_then(Json::as_i64), Some(3));
    let erased = server
        .post("/convlog/v1/erasures", r#"{"customer_id":"k"}"#)
        .await;
    assert_eq!(erased.status, 202);
    assert_eq!(found(&server, "type=t").await, ["other", "whose"]);
}
