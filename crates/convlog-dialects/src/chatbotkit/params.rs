//! The query parameters of list and export.

use convlog_model::time::Timestamp;

use super::filter::{EventFilter, TypePattern};
use super::ids;
use super::meta::MetaTest;

/// Items of a page, by default and at most.
pub const TAKE: usize = 100;
/// See [`TAKE`].
pub const TAKE_MAX: usize = 500;
/// Most values of one parameter.
const VALUES_MAX: usize = 1000;
/// Most bytes of one value.
const VALUE_BYTES_MAX: usize = 1024;
/// Most conditions on `meta`.
const META_MAX: usize = 64;

/// In which direction a list goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    #[default]
    Desc,
}

/// What a list is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Params {
    /// The last item seen, as the client wrote it.
    pub cursor: Option<String>,
    /// Any word but `asc` means newest first, as on the reference server.
    pub order: Order,
    /// How many items, from 1; `None` leaves it to the form of the answer, as 0 and what is no
    /// number do.
    pub take: Option<usize>,
    /// Which items.
    pub filter: EventFilter,
}

/// A parameter that cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{name} {message}")]
pub struct BadParam {
    /// Its name, shortened.
    pub name: String,
    /// What is wrong.
    pub message: String,
}

impl BadParam {
    fn new(name: &str, message: impl Into<String>) -> Self {
        BadParam {
            // A name may be all that a client said.
            name: name.chars().take(64).collect(),
            message: message.into(),
        }
    }
}

impl Params {
    /// Reads decoded parameters. Of a repeated one the first counts, an empty one is absent, and
    /// unknown ones are ignored, as on the reference server.
    ///
    /// # Errors
    /// [`BadParam`] for what is ours alone or cannot be meant: a moment that is none, a path into
    /// `meta` that is none, too many values.
    pub fn parse(pairs: &[(String, String)]) -> Result<Self, BadParam> {
        let mut params = Params::default();
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in pairs {
            if value.is_empty() || seen.contains(&name.as_str()) {
                continue;
            }
            seen.push(name);
            params.set(name, value)?;
        }
        Ok(params)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), BadParam> {
        match name {
            "cursor" => self.cursor = Some(bounded(name, value)?.to_owned()),
            "order" if value == "asc" => self.order = Order::Asc,
            "take" => self.take = take(value),
            "type" => {
                let types = values(name, value)?;
                self.filter.types = types.iter().map(|text| TypePattern::new(text)).collect();
            }
            "action" => {
                let actions = values(name, value)?;
                self.filter.actions = actions.iter().map(|a| a.to_ascii_uppercase()).collect();
            }
            "from" => self.filter.from = Some(moment(name, value)?),
            "to" => self.filter.to = Some(moment(name, value)?),
            _ => {
                if let Some(id) = ids::lookup(name) {
                    self.filter.ids.push((id, values(name, value)?));
                } else if let Some(test) = MetaTest::parse(name, bounded(name, value)?) {
                    let test = test.map_err(|bad| BadParam::new(name, bad.to_string()))?;
                    if self.filter.meta.len() >= META_MAX {
                        let message = format!("is one of more than {META_MAX} conditions");
                        return Err(BadParam::new(name, message));
                    }
                    self.filter.meta.push(test);
                }
            }
        }
        Ok(())
    }
}

/// As `parseInt` reads it: leading digits count. 0 and what is no number are as if absent, what is
/// negative is 1.
fn take(text: &str) -> Option<usize> {
    let text = text.trim_start();
    if text.starts_with('-') {
        return text.as_bytes().get(1)?.is_ascii_digit().then_some(1);
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit());
    let digits = text.get(..end.unwrap_or(text.len()))?;
    match digits.parse() {
        Ok(0) => None,
        Ok(take) => Some(take),
        Err(_) => (!digits.is_empty()).then_some(usize::MAX),
    }
}

fn bounded<'v>(name: &str, value: &'v str) -> Result<&'v str, BadParam> {
    match value.len() <= VALUE_BYTES_MAX {
        true => Ok(value),
        false => {
            let message = format!("must have at most {VALUE_BYTES_MAX} bytes");
            Err(BadParam::new(name, message))
        }
    }
}

/// A list with commas; white space around a value does not count.
fn values(name: &str, value: &str) -> Result<Vec<String>, BadParam> {
    let values = value.split(',').map(str::trim);
    let values: Vec<&str> = values.filter(|value| !value.is_empty()).collect();
    if values.len() > VALUES_MAX {
        let message = format!("must have at most {VALUES_MAX} values");
        return Err(BadParam::new(name, message));
    }
    for value in &values {
        bounded(name, value)?;
    }
    Ok(values.into_iter().map(str::to_owned).collect())
}

/// Milliseconds since the epoch, or a date or time of ISO 8601.
fn moment(name: &str, value: &str) -> Result<Timestamp, BadParam> {
    let is_millis = value.strip_prefix('-').unwrap_or(value);
    let parsed = match is_millis.bytes().all(|byte| byte.is_ascii_digit()) {
        true => value.parse().ok().map(Timestamp::from_millis),
        false => Timestamp::parse_loose(value).map(|span| span.start),
    };
    parsed.ok_or_else(|| {
        BadParam::new(
            name,
            "must be milliseconds since 1970 or a time as 2026-01-31T12:00:00Z",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &[(&str, &str)]) -> Result<Params, String> {
        let pairs: Vec<(String, String)> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Params::parse(&pairs).map_err(|bad| bad.to_string())
    }

    #[test]
    fn take_reads_as_the_reference_server_does() {
        for (text, expected) in [
            ("1", Some(1)),
            ("50x", Some(50)),
            (" 7", Some(7)),
            ("0", None),
            ("x", None),
            ("-5", Some(1)),
            ("-x", None),
            ("99999999999999999999999", Some(usize::MAX)),
        ] {
            assert_eq!(parse(&[("take", text)]).unwrap().take, expected, "{text}");
        }
    }

    #[test]
    fn the_first_of_a_name_counts_and_empty_ones_are_absent() {
        let params = parse(&[
            ("cursor", ""),
            ("order", "asc"),
            ("order", "desc"),
            ("type", "a.b, c.* ,"),
            ("botId", "b1,b2"),
            ("unknown", "x"),
            ("metadata", "x"),
        ])
        .unwrap();
        assert_eq!(params.cursor, None);
        assert_eq!(params.order, Order::Asc);
        assert!(params.filter.types[1].fits("c.d") && !params.filter.types[1].fits("cd"));
        let ids = vec!["b1".to_owned(), "b2".to_owned()];
        assert_eq!(params.filter.ids, [("botId", ids)]);
        assert!(params.filter.meta.is_empty());
        assert_eq!(parse(&[("order", "sideways")]).unwrap().order, Order::Desc);
    }

    #[test]
    fn moments_are_millis_or_iso() {
        let from = |text| parse(&[("from", text)]).map(|params| params.filter.from.unwrap());
        let moment = Timestamp::from_millis(1_760_000_003_000);
        assert_eq!(from("1760000003000"), Ok(moment));
        assert_eq!(from("2025-10-09T08:53:23Z"), Ok(moment));
        assert_eq!(
            from("yesterday").unwrap_err(),
            "from must be milliseconds since 1970 or a time as 2026-01-31T12:00:00Z"
        );
        assert_eq!(
            parse(&[("meta..a", "x")]).unwrap_err(),
            "meta..a has an empty segment"
        );
    }

    #[test]
    fn patterns_of_types_are_exact_but_for_stars() {
        let fits = |pattern: &str, kind: &str| TypePattern::new(pattern).fits(kind);
        assert!(fits("conversation.message.create", "message.create"));
        assert!(fits("*.error", "api.error") && !fits("*.error", "api.errors"));
        assert!(fits("integration.*.failed", "integration.slack.failed"));
        assert!(fits("*", "") && fits("a*a", "aba") && !fits("a*a", "a"));
        assert!(!fits("Bot.create", "bot.create"));
    }
}
