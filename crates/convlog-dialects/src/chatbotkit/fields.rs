//! Members of event items, and the canonical fields that carry them.

/// A canonical field with the member that it is read from.
pub const NAMES: &[(&str, &str)] = &[
    ("own_id", "id"),
    ("time.request", "createdAt"),
    ("bot", "botId"),
    ("conversation", "conversationId"),
    ("customer", "contactId"),
    ("user", "actor"),
    ("event.type", "type"),
    ("event.actor", "actor"),
    ("event.outcome", "outcome"),
    ("event.value", "value"),
    ("event.refs.*", "each id"),
    ("event.meta.*", "meta"),
];

#[cfg(test)]
mod tests {
    use convlog_model::ids::InstanceId;

    use super::*;
    use crate::chatbotkit::decode;

    #[test]
    fn an_item_with_every_member_has_every_field() {
        let raw = r#"{"id":"e","type":"t","createdAt":1,"botId":"b","conversationId":"c",
            "contactId":"k","actor":"a","outcome":"ok","value":1,"meta":{"x":1}}"#;
        let flat = decode::event(&InstanceId::default_instance(), raw)
            .unwrap()
            .flat();
        for (field, member) in NAMES {
            let field = field
                .replace("refs.*", "refs.botId")
                .replace("meta.*", "meta.x");
            assert!(flat.text(&field).is_some(), "{field} of {member}");
        }
    }
}
