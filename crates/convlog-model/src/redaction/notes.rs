//! What was cut, as the record tells it: rule and path, never the value.

use super::{Action, NOTES_MAX, Rule};
use crate::json::Json;

/// Most bytes of a path in a note; keys are the client's own.
const PATH_BYTES_MAX: usize = 256;
/// Stands for all places beyond those that are named.
const ELSEWHERE: &str = "*";

/// A rule has cut something at a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Name of the rule.
    pub rule: String,
    /// Version of the document that the rule stands in.
    pub version: u32,
    /// Where, without the numbers of elements: a canonical path, or `raw.` and the path in the
    /// body. `*` where too many places were cut to name each.
    pub path: String,
    /// What the rule put there.
    pub action: Action,
}

impl Cut {
    /// As records and answers show it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::object([
            ("rule", Json::string(self.rule.as_str())),
            ("version", Json::integer(i64::from(self.version))),
            ("path", Json::string(self.path.as_str())),
            ("action", Json::string(self.action.as_str())),
        ])
    }
}

/// The notes of one record while they are gathered.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Cut>);

impl Notes {
    /// Notes that a rule has cut something, once for each path.
    pub(super) fn add(&mut self, rule: &Rule, path: impl FnOnce() -> String) {
        let mut path = path();
        shorten(&mut path);
        if self.0.len() >= NOTES_MAX && !self.holds(rule, &path) {
            ELSEWHERE.clone_into(&mut path);
        }
        if !self.holds(rule, &path) {
            self.0.push(Cut {
                rule: rule.name.clone(),
                version: rule.version,
                path,
                action: rule.action,
            });
        }
    }

    fn holds(&self, rule: &Rule, path: &str) -> bool {
        let is_same =
            |cut: &Cut| cut.rule == rule.name && cut.version == rule.version && cut.path == path;
        self.0.iter().any(is_same)
    }

    pub(super) fn into_cuts(self) -> Vec<Cut> {
        self.0
    }
}

fn shorten(path: &mut String) {
    if path.len() > PATH_BYTES_MAX {
        let end = path.floor_char_boundary(PATH_BYTES_MAX);
        path.truncate(end);
        path.push('…');
    }
}

/// Keys as a path, those with other signs in quotes.
pub(super) fn spelled<'a>(start: &str, keys: impl Iterator<Item = &'a str>) -> String {
    let mut path = start.to_owned();
    for key in keys {
        if !path.is_empty() {
            path.push('.');
        }
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '$' | '@' | ':');
        match !key.is_empty() && key.chars().all(is_plain) {
            true => path.push_str(key),
            false => {
                path.push('"');
                path.push_str(key);
                path.push('"');
            }
        }
    }
    path
}

/// The field of a record that says what was cut: what it says already, and these.
pub(super) fn field(known: Option<&Json>, cuts: &[Cut]) -> Json {
    let mut all = match known {
        Some(Json::Array(known)) => known.clone(),
        _ => Vec::new(),
    };
    for cut in cuts {
        let cut = cut.to_json();
        if !all.contains(&cut) {
            all.push(cut);
        }
    }
    Json::Array(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redaction::Detector;

    #[test]
    fn paths_are_noted_once_and_in_bounded_number() {
        let email = Rule::of_detector(Detector::Email);
        let mut notes = Notes::default();
        for path in ["a", "a", "b"] {
            notes.add(&email, || path.to_owned());
        }
        assert_eq!(notes.0.len(), 2);
        for i in 0..200 {
            notes.add(&email, || format!("p{i}"));
        }
        let ip = Rule::of_detector(Detector::Ip);
        notes.add(&ip, || "x".repeat(1000));
        let cuts = notes.into_cuts();
        assert_eq!(cuts.len(), NOTES_MAX + 2);
        let last: Vec<_> = cuts[NOTES_MAX..]
            .iter()
            .map(|c| (&*c.rule, &*c.path))
            .collect();
        assert_eq!(last, [("email", "*"), ("ip", "*")]);
    }

    #[test]
    fn a_path_quotes_what_is_no_plain_key_and_is_cut_at_a_length() {
        let path = spelled("raw", ["a", "main skill", "", "x.y"].into_iter());
        assert_eq!(path, r#"raw.a."main skill"."".""#.to_owned() + r#"x.y""#);
        let mut long = "é".repeat(200);
        shorten(&mut long);
        assert_eq!(long.chars().count(), 129);
    }

    #[test]
    fn what_is_known_already_stays() {
        let cut = Cut {
            rule: "r".to_owned(),
            version: 2,
            path: "raw.a".to_owned(),
            action: Action::Mask,
        };
        let known = field(None, std::slice::from_ref(&cut));
        assert_eq!(
            known.to_string(),
            r#"[{"rule":"r","version":2,"path":"raw.a","action":"mask"}]"#
        );
        assert_eq!(field(Some(&known), &[cut]), known);
    }
}
