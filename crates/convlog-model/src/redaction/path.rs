//! Rules by path: `response.context.*.ssn`, `raw.items[0].name`, `"main skill".x[*]`.
//!
//! A path is keys joined by dots; `*` is any key, `[n]` an element of an array, `[*]` any of them.
//! A key with other signs stands in quotes. Arrays that a path does not index are passed through,
//! as filters do.

use super::NAME_BYTES_MAX;

/// A path of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathPattern {
    steps: Vec<Step>,
    /// Whether it means the raw body alone.
    only_raw: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    AnyKey,
    Element(usize),
    AnyElement,
}

/// How far a path has come on the way down to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Active {
    /// Number of the rule.
    pub(super) rule: usize,
    /// Number of the path within the rule.
    path: usize,
    /// Steps that are behind it.
    n_done: usize,
}

/// One step down.
#[derive(Clone, Copy, Debug)]
pub(super) enum Down<'a> {
    /// To the member of an object.
    Key(&'a str),
    /// To the element of an array.
    Element(usize),
}

const STEPS_MAX: usize = 64;

impl PathPattern {
    /// The path that a text means.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence after its place.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > NAME_BYTES_MAX {
            return Err(format!("must have 1 to {NAME_BYTES_MAX} bytes"));
        }
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            rest = key(rest, &mut steps)?;
            while let Some(inner) = rest.strip_prefix('[') {
                rest = element(inner, &mut steps)?;
            }
            if steps.len() > STEPS_MAX {
                return Err(format!("has more than {STEPS_MAX} steps"));
            }
            match rest.strip_prefix('.') {
                Some(next) => rest = next,
                None if rest.is_empty() => break,
                None => return Err("needs a dot or a bracket behind a key".to_owned()),
            }
        }
        let only_raw = steps.len() > 1 && steps.first() == Some(&Step::Key("raw".to_owned()));
        if only_raw {
            steps.remove(0);
        }
        Ok(PathPattern { steps, only_raw })
    }

    /// Where it begins: at the raw body, or at the canonical fields.
    pub(super) fn begin(&self, rule: usize, path: usize, in_raw: bool) -> Option<Active> {
        (in_raw || !self.only_raw).then_some(Active {
            rule,
            path,
            n_done: 0,
        })
    }

    /// Whether all that it still asks for are elements of arrays.
    fn asks_for_elements(&self, n_done: usize) -> bool {
        let rest = self.steps.get(n_done..).unwrap_or_default();
        rest.iter()
            .all(|step| matches!(step, Step::Element(_) | Step::AnyElement))
    }

    /// The first keys, as far as they are certain; what stands behind them is left open.
    pub(super) fn certain_keys(&self) -> String {
        let mut name = String::new();
        for step in &self.steps {
            let Step::Key(key) = step else { break };
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(key);
        }
        name
    }
}

/// How a path goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It does not lead here.
    Lost,
    /// It leads further down.
    On(Active),
    /// It leads here.
    Here,
}

impl Active {
    /// One step down along the path that it is of.
    pub(super) fn step(self, pattern: &PathPattern, down: Down<'_>) -> Next {
        let step = pattern.steps.get(self.n_done);
        let goes_on = match (down, step) {
            (_, None) => return Next::Lost,
            (Down::Key(key), Some(Step::Key(name))) => key == name,
            (Down::Key(_), Some(Step::AnyKey)) => true,
            (Down::Key(_), Some(Step::Element(_) | Step::AnyElement)) => false,
            (Down::Element(at), Some(Step::Element(n))) => at == *n,
            (Down::Element(_), Some(Step::AnyElement)) => true,
            (Down::Element(_), Some(Step::Key(_) | Step::AnyKey)) => return Next::On(self),
        };
        let n_done = self.n_done + 1;
        match goes_on {
            false => Next::Lost,
            true if n_done == pattern.steps.len() => Next::Here,
            true => Next::On(Active { n_done, ..self }),
        }
    }

    /// Whether all that is still asked for are elements of arrays, which a field's values are.
    pub(super) fn asks_for_elements(self, pattern: &PathPattern) -> bool {
        pattern.asks_for_elements(self.n_done)
    }

    /// Its path among those of the rule.
    pub(super) fn of(self, paths: &[PathPattern]) -> Option<&PathPattern> {
        paths.get(self.path)
    }
}

/// Reads a key; what is left.
fn key<'a>(text: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (key, rest) = quoted
            .split_once('"')
            .ok_or_else(|| "has a quote that is not closed".to_owned())?;
        steps.push(Step::Key(key.to_owned()));
        return Ok(rest);
    }
    let end = text.find(['.', '[', ']', '"']).unwrap_or(text.len());
    let (key, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    match key {
        "" if steps.is_empty() && rest.starts_with('[') => return Ok(rest),
        "" => return Err("has a key without a sign; write \"\" for the empty key".to_owned()),
        "*" => steps.push(Step::AnyKey),
        key if key.contains('*') => {
            return Err("has a * beside other signs; quote the key if it is meant".to_owned());
        }
        key => steps.push(Step::Key(key.to_owned())),
    }
    Ok(rest)
}

/// Reads the number of an element behind its bracket; what is left.
fn element<'a>(text: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    let wrong = || "has brackets that hold neither a number nor *".to_owned();
    let (inside, rest) = text.split_once(']').ok_or_else(wrong)?;
    steps.push(match inside {
        "*" => Step::AnyElement,
        number => Step::Element(number.parse().map_err(|_| wrong())?),
    });
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a path leads to a place; numbers are elements.
    fn leads(pattern: &str, place: &[&str]) -> bool {
        let pattern = PathPattern::parse(pattern).unwrap();
        let mut at = pattern.begin(0, 0, true).unwrap();
        for (i, step) in place.iter().enumerate() {
            let down = match step.parse() {
                Ok(number) => Down::Element(number),
                Err(_) => Down::Key(step),
            };
            match at.step(&pattern, down) {
                Next::On(next) => at = next,
                Next::Here => return i + 1 == place.len(),
                Next::Lost => return false,
            }
        }
        false
    }

    #[test]
    fn keys_stars_and_elements() {
        for (pattern, place) in [
            ("a", &["a"][..]),
            ("raw.a", &["a"]),
            ("a.b", &["a", "b"]),
            ("a.*", &["a", "b"]),
            ("*.b", &["a", "b"]),
            ("a[0]", &["a", "0"]),
            ("a[*].b", &["a", "3", "b"]),
            ("a.b", &["a", "7", "b"]),
            ("[1].b", &["1", "b"]),
            ("a[1][0]", &["a", "1", "0"]),
            ("\"main skill\".x", &["main skill", "x"]),
            ("\"a.b\"", &["a.b"]),
            ("\"*\"", &["*"]),
        ] {
            assert!(leads(pattern, place), "{pattern}");
        }
        for (pattern, place) in [
            ("a", &["b"][..]),
            ("a.b", &["a"]),
            ("a[0]", &["a", "1"]),
            ("a[0]", &["a", "b"]),
            ("a.*", &["b", "c"]),
            ("\"*\"", &["a"]),
            ("[1].b", &["0", "b"]),
        ] {
            assert!(!leads(pattern, place), "{pattern}");
        }
    }

    #[test]
    fn a_path_of_the_body_begins_nowhere_else() {
        let raw = PathPattern::parse("raw.a").unwrap();
        assert!(raw.begin(0, 0, false).is_none() && raw.begin(0, 0, true).is_some());
        assert_eq!(raw.certain_keys(), "a");
        // A key of that name alone is one.
        let raw = PathPattern::parse("raw").unwrap();
        assert!(raw.begin(0, 0, false).is_some());
        assert_eq!(
            PathPattern::parse("time.request.*").unwrap().certain_keys(),
            "time.request"
        );
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for (text, error) in [
            ("", "must have 1 to 256 bytes"),
            (
                "a..b",
                "has a key without a sign; write \"\" for the empty key",
            ),
            (
                ".a",
                "has a key without a sign; write \"\" for the empty key",
            ),
            (
                "a.",
                "has a key without a sign; write \"\" for the empty key",
            ),
            ("a[", "has brackets that hold neither a number nor *"),
            ("a[x]", "has brackets that hold neither a number nor *"),
            ("a[-1]", "has brackets that hold neither a number nor *"),
            ("a[0]b", "needs a dot or a bracket behind a key"),
            ("a]", "needs a dot or a bracket behind a key"),
            ("\"a", "has a quote that is not closed"),
            (
                "a*",
                "has a * beside other signs; quote the key if it is meant",
            ),
        ] {
            assert_eq!(PathPattern::parse(text), Err(error.to_owned()), "{text}");
        }
        let long = vec!["a"; 65].join(".");
        assert_eq!(
            PathPattern::parse(&long),
            Err("has more than 64 steps".to_owned())
        );
    }
}
