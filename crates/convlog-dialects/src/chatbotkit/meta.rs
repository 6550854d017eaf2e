//! Paths into `meta` as query parameters write them (`meta.a.b`, `meta[a][b]`, `meta[a.b]`,
//! `meta.tags[0]`), and what equality with a text means there.

use convlog_model::json::Json;
use convlog_model::number::Decimal;

/// Most segments of a path.
const SEGMENTS_MAX: usize = 32;

/// A condition on one value of `meta`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MetaTest {
    path: Vec<String>,
    text: String,
}

/// Why a parameter is no path into `meta`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadPath {
    /// `meta` alone, or two marks with nothing between.
    #[error("has an empty segment")]
    Empty,
    /// A bracket that does not end, or that text follows.
    #[error("has a bracket that does not fit")]
    Bracket,
    /// Too many segments.
    #[error("has more than 32 segments")]
    Long,
}

impl MetaTest {
    /// The test of a parameter; `None` when its name has nothing to do with `meta`.
    ///
    /// # Errors
    /// [`BadPath`] for a name that begins as a path and is none.
    pub fn parse(name: &str, text: &str) -> Option<Result<Self, BadPath>> {
        let rest = name.strip_prefix("meta")?;
        if !rest.is_empty() && !rest.starts_with(['.', '[']) {
            return None;
        }
        let test = segments(rest).map(|path| MetaTest {
            path,
            text: text.to_owned(),
        });
        Some(test)
    }

    /// The text that the value must equal.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The id that the path leads to, when it is one of those under `relations`.
    #[must_use]
    pub fn relation(&self) -> Option<&'static str> {
        match self.path.as_slice() {
            [first, id] if first == "relations" => super::ids::lookup(id),
            _ => None,
        }
    }

    /// The path spelled with dots, unless a segment may stand for the place in a list.
    #[must_use]
    pub fn spelled(&self) -> Option<String> {
        let is_index = |segment: &String| segment.bytes().all(|b| b.is_ascii_digit());
        (!self.path.iter().any(is_index)).then(|| self.path.join("."))
    }

    /// Whether a value at the path equals the text: as a string, or as the number, the boolean or
    /// the `null` that the text spells.
    #[must_use]
    pub fn passes(&self, meta: &Json) -> bool {
        leads(meta, &self.path, &|value| equals(value, &self.text))
    }
}

fn segments(text: &str) -> Result<Vec<String>, BadPath> {
    let mut segments = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let names = if let Some(inside) = rest.strip_prefix('[') {
            let (names, behind) = inside.split_once(']').ok_or(BadPath::Bracket)?;
            if !behind.is_empty() && !behind.starts_with(['.', '[']) {
                return Err(BadPath::Bracket);
            }
            rest = behind;
            names
        } else {
            let inside = rest.strip_prefix('.').ok_or(BadPath::Bracket)?;
            let end = inside.find('[').unwrap_or(inside.len());
            let (names, behind) = inside.split_at(end);
            rest = behind;
            names
        };
        if names.contains(']') {
            return Err(BadPath::Bracket);
        }
        for name in names.split('.') {
            if name.is_empty() {
                return Err(BadPath::Empty);
            }
            segments.push(name.to_owned());
        }
    }
    match segments.len() {
        0 => Err(BadPath::Empty),
        1..=SEGMENTS_MAX => Ok(segments),
        _ => Err(BadPath::Long),
    }
}

/// Whether the path leads to a value that passes. A key may itself hold dots, and a number may be
/// a place in a list.
fn leads(value: &Json, path: &[String], passes: &impl Fn(&Json) -> bool) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return passes(value);
    };
    if let Json::Array(items) = value {
        let item = first.parse().ok().and_then(|index: usize| items.get(index));
        return item.is_some_and(|item| leads(item, rest, passes));
    }
    let mut key = first.clone();
    let mut rest = rest;
    loop {
        if value
            .get(&key)
            .is_some_and(|inner| leads(inner, rest, passes))
        {
            return true;
        }
        let Some((next, behind)) = rest.split_first() else {
            return false;
        };
        key = format!("{key}.{next}");
        rest = behind;
    }
}

fn equals(value: &Json, text: &str) -> bool {
    match value {
        Json::String(value) => value == text,
        Json::Bool(value) => text == if *value { "true" } else { "false" },
        Json::Null => text == "null",
        Json::Number(value) => match Decimal::parse(text) {
            Some(wanted) => Decimal::parse(value).is_some_and(|value| value == wanted),
            None => false,
        },
        Json::Array(_) | Json::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> Result<Vec<String>, BadPath> {
        MetaTest::parse(name, "x").unwrap().map(|test| test.path)
    }

    #[test]
    fn dots_and_brackets_spell_the_same_path() {
        for name in [
            "meta.a.b",
            "meta[a][b]",
            "meta[a.b]",
            "meta.a[b]",
            "meta[a].b",
        ] {
            assert_eq!(path(name).unwrap(), ["a", "b"], "{name}");
        }
        assert_eq!(path("meta.k y").unwrap(), ["k y"]);
        assert_eq!(path("meta.tags[0]").unwrap(), ["tags", "0"]);
        assert!(MetaTest::parse("metal", "x").is_none());
        assert!(MetaTest::parse("type", "x").is_none());
    }

    #[test]
    fn what_is_no_path_says_why() {
        for name in ["meta", "meta.", "meta..a", "meta[]", "meta.a.", "meta[a.]"] {
            assert_eq!(path(name), Err(BadPath::Empty), "{name}");
        }
        for name in ["meta[a", "meta[a]b", "meta.a]b", "meta[a[b]]"] {
            assert_eq!(path(name), Err(BadPath::Bracket), "{name}");
        }
        assert_eq!(
            path(&format!("meta{}", ".a".repeat(33))),
            Err(BadPath::Long)
        );
    }

    #[test]
    fn values_equal_texts_that_spell_them() {
        let meta = r#"{"s":"1","n":1.50,"t":true,"z":null,"a":{"b":"x","c.d":"y"},
            "tags":["u",{"v":"w"}],"k y":"a b&c=ž/+%","e.f":{"g":"h"}}"#;
        let meta = Json::parse(meta.as_bytes()).unwrap();
        let passes =
            |name: &str, text: &str| MetaTest::parse(name, text).unwrap().unwrap().passes(&meta);
        for (name, text) in [
            ("meta.s", "1"),
            ("meta.n", "1.5"),
            ("meta.t", "true"),
            ("meta.z", "null"),
            ("meta.a.b", "x"),
            ("meta.a.c.d", "y"),
            ("meta[a][c.d]", "y"),
            ("meta.tags[0]", "u"),
            ("meta.tags.1.v", "w"),
            ("meta[tags][1][v]", "w"),
            ("meta.k y", "a b&c=ž/+%"),
            ("meta.e.f.g", "h"),
        ] {
            assert!(passes(name, text), "{name}={text}");
        }
        for (name, text) in [
            ("meta.s", "1.0"),
            ("meta.n", "1"),
            ("meta.t", "1"),
            ("meta.tags", "u"),
            ("meta.a", "[object Object]"),
            ("meta.x", "null"),
            ("meta.tags[2]", "u"),
        ] {
            assert!(!passes(name, text), "{name}={text}");
        }
    }
}
