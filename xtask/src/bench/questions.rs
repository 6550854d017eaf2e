//! The questions that every engine is asked, in convlog's two filter languages; the peers' forms are
//! in `xtask/peers`.

use super::generate::Sample;

/// One question.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) name: &'static str,
    /// For the list of a workspace.
    pub(super) list: String,
    /// For counting, by canonical names.
    pub(super) count: String,
    /// Whether the times of section 7.9 of the design are meant for it.
    pub(super) is_goal: bool,
}

/// All questions about the logs of a bot; `sample` is a record that exists.
pub(super) fn all(bot: &str, sample: &Sample) -> Vec<Question> {
    let Sample {
        customer,
        rare_word,
        log_id,
        ..
    } = sample;
    let said = |words: &str| {
        (
            format!("request.input.text:{words}"),
            format!("input.text:{words}"),
        )
    };
    let forms = [
        ("newest 100", true, (String::new(), String::new())),
        (
            "nested",
            true,
            (
                "response.intents:(intent::place_order,confidence>0.95)".to_owned(),
                "intents:(name::place_order,confidence>0.95)".to_owned(),
            ),
        ),
        (
            "customer",
            true,
            (
                format!("customer_id::{customer}"),
                format!("customer::{customer}"),
            ),
        ),
        ("common word", true, said("coffee")),
        ("rare word", true, said(rare_word)),
        (
            "own id",
            true,
            (format!("log_id::{log_id}"), format!("own_id::{log_id}")),
        ),
        ("phrase", false, said("\"large coffee\"")),
        ("fuzzy", false, said("cofee~1")),
        ("wildcard", false, said("coff*")),
    ];
    let question = |(name, is_goal, (list, count)): (&'static str, bool, (String, String))| {
        let bot = format!("bot::{bot}");
        Question {
            name,
            is_goal,
            count: if count.is_empty() {
                bot
            } else {
                format!("{bot},{count}")
            },
            list,
        }
    };
    forms.into_iter().map(question).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_asks_the_same_of_the_same_bot() {
        let sample = Sample {
            log: serde_json::Value::Null,
            log_id: "L".to_owned(),
            customer: "C".to_owned(),
            rare_word: "W".to_owned(),
        };
        let questions = all("shop", &sample);
        let of = |name: &str| questions.iter().find(|asked| asked.name == name).unwrap();
        assert_eq!(of("newest 100").count, "bot::shop");
        assert_eq!(of("rare word").count, "bot::shop,input.text:W");
        assert_eq!(of("customer").list, "customer_id::C");
    }
}
