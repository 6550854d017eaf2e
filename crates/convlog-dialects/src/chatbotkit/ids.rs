//! The resources that an item may name, by the names of their ids.

/// Every id of an item, in the order in which items show them.
pub const IDS: [&str; 32] = [
    "conversationId",
    "taskId",
    "contactId",
    "blueprintId",
    "botId",
    "datasetId",
    "recordId",
    "skillsetId",
    "abilityId",
    "fileId",
    "secretId",
    "portalId",
    "widgetIntegrationId",
    "slackIntegrationId",
    "githubIntegrationId",
    "discordIntegrationId",
    "microsoftteamsIntegrationId",
    "googlechatIntegrationId",
    "whatsappIntegrationId",
    "messengerIntegrationId",
    "instagramIntegrationId",
    "telegramIntegrationId",
    "twilioIntegrationId",
    "emailIntegrationId",
    "sitemapIntegrationId",
    "notionIntegrationId",
    "triggerIntegrationId",
    "supportIntegrationId",
    "extractIntegrationId",
    "mcpserverIntegrationId",
    "skillserverIntegrationId",
    "webhookId",
];

/// The id of that name as the table spells it.
#[must_use]
pub fn lookup(name: &str) -> Option<&'static str> {
    IDS.into_iter().find(|id| *id == name)
}

/// The canonical field that carries an id on turns, whatever dialect wrote them.
#[must_use]
pub fn of_turn(id: &str) -> Option<&'static str> {
    match id {
        "conversationId" => Some("conversation"),
        "botId" => Some("bot"),
        "contactId" => Some("customer"),
        _ => None,
    }
}
