//! What a user felt: read from an answer of Amazon Comprehend's `DetectSentiment`, shown as Lex
//! shows it.

use convlog_model::json::Json;

/// The labels that Comprehend gives, with the member of the score of each.
const LABELS: [(&str, &str); 4] = [
    ("POSITIVE", "Positive"),
    ("NEGATIVE", "Negative"),
    ("NEUTRAL", "Neutral"),
    ("MIXED", "Mixed"),
];

/// What a user felt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sentiment {
    label: &'static str,
    /// Such as `{Positive: 0.02,Negative: 0.1,Neutral: 0.86,Mixed: 4.4e-6}`.
    score: String,
}

impl Sentiment {
    /// Reads `{"Sentiment": "POSITIVE", "SentimentScore": {"Positive": 0.9, …}}`; `None` for
    /// anything else.
    #[must_use]
    pub fn read(answer: &Json) -> Option<Self> {
        let sentiment = answer.get("Sentiment").and_then(Json::as_str)?;
        let (label, _) = LABELS.into_iter().find(|(label, _)| *label == sentiment)?;
        let scores = answer.get("SentimentScore")?;
        let each = LABELS.map(|(_, member)| match scores.get(member) {
            Some(score @ Json::Number(_)) => Some(format!("{member}: {score}")),
            _ => None,
        });
        let each: Option<Vec<String>> = each.into_iter().collect();
        let score = format!("{{{}}}", each?.join(","));
        Some(Sentiment { label, score })
    }

    /// As it stands in answers and in logs.
    #[must_use]
    pub fn json(&self) -> Json {
        Json::object([
            ("sentimentLabel", Json::string(self.label)),
            ("sentimentScore", Json::string(self.score.as_str())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &str) -> Option<String> {
        let answer = Json::parse(answer.as_bytes()).unwrap();
        Some(Sentiment::read(&answer)?.json().to_string())
    }

    #[test]
    fn scores_are_one_text_as_in_answers_of_lex() {
        let answer = r#"{"Sentiment":"NEUTRAL","SentimentScore":
            {"Mixed":4.4e-6,"Positive":0.02,"Negative":0.1,"Neutral":0.86}}"#;
        let shown = concat!(
            r#"{"sentimentLabel":"NEUTRAL","sentimentScore":"#,
            r#""{Positive: 0.02,Negative: 0.1,Neutral: 0.86,Mixed: 4.4e-6}"}"#
        );
        assert_eq!(read(answer).as_deref(), Some(shown));
    }

    #[test]
    fn what_comprehend_would_not_answer_is_none() {
        for answer in [
            r#"{}"#,
            r#"{"Sentiment":"POSITIVE"}"#,
            r#"{"Sentiment":"GLAD","SentimentScore":{"Positive":1,"Negative":0,"Neutral":0,"Mixed":0}}"#,
            r#"{"Sentiment":"POSITIVE","SentimentScore":{"Positive":1,"Negative":0,"Neutral":0}}"#,
            r#"{"Sentiment":"POSITIVE","SentimentScore":{"Positive":"1","Negative":0,"Neutral":0,"Mixed":0}}"#,
        ] {
            assert_eq!(read(answer), None, "{answer}");
        }
    }
}
