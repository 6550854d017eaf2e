//! Walks tables: makes a full request per operation, breaks each constraint in turn, and expects
//! exactly that to be reported.

use convlog_model::json::Json;

use super::super::{Constraint, Invalid, Limits, Member, Operation, Shape, Text, check};

/// How texts that match a pattern look: `head`, any number of `unit`, `tail`; and a character that
/// may not stand first.
struct Sample {
    pattern: &'static str,
    head: &'static str,
    unit: &'static str,
    tail: &'static str,
    bad: &'static str,
}

const fn sample(
    pattern: &'static str,
    head: &'static str,
    unit: &'static str,
    tail: &'static str,
    bad: &'static str,
) -> Sample {
    Sample {
        pattern,
        head,
        unit,
        tail,
        bad,
    }
}

/// By the beginning of the pattern; the first that fits is taken.
const SAMPLES: &[Sample] = &[
    sample(r"^([A-Za-z]_?)+$", "", "a", "", "1"),
    sample(r"^(-|^([A-Za-z]_?)+$)$", "", "a", "", "1"),
    sample(r"^([A-Za-z](-|_|.)?)+$", "", "a", "", "1"),
    sample(r"^((AMAZON\.)_?|[A-Za-z]_?)+", "AMAZON.", "a", "", "1"),
    sample(r"^([0-9a-zA-Z][_-]?)+$", "", "a", "", "_"),
    sample(r"[a-zA-Z_]+", "", "a", "", "1"),
    sample(r"[a-zA-Z0-9-]+", "", "a", "", "_"),
    sample(r"^[0-9a-zA-Z]+$", "", "a", "", "_"),
    sample(r"[0-9a-zA-Z._:-]+", "", "a", "", "/"),
    sample(r"[0-9]+", "", "1", "", "a"),
    sample(r"\$LATEST|[0-9]+", "", "1", "", "$"),
    sample(r"^\d{12}$", "", "1", "", "a"),
    sample(
        r"^arn:[\w\-]+:iam:",
        "arn:aws:iam::123456789012:role/",
        "r",
        "",
        "x",
    ),
    sample(
        r"^arn:[\w\-]+:kms:",
        "arn:",
        "a",
        ":kms:us-east-1:123456789012:key/1-2",
        "x",
    ),
    sample(
        r"^arn:[\w\-]+:(?:logs:",
        "arn:",
        "a",
        ":logs:us-east-1:123456789012:log-group:lex-logs:*",
        "x",
    ),
    sample(
        r"arn:aws[a-zA-Z-]*:lambda:",
        "arn:aws:lambda:us-east-1:123456789012:function:",
        "f",
        ":live",
        "x",
    ),
    sample(
        r"arn:aws:kendra:",
        "arn:aws:kendra:us-east-1:123456789012:index/",
        "k",
        "",
        "x",
    ),
    sample(
        r"arn:aws:iam::",
        "arn:aws:iam::123456789012:role/",
        "r",
        "",
        "x",
    ),
    sample(r"[^:*]*", "", "a", "", ":"),
    sample(r"[^:*$]*", "", "a", "", "$"),
    sample(r"[\.\-_/#A-Za-z0-9]", "", "a", "", "$"),
    sample(r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]", "", "\u{e9}", "", "!"),
    sample(r"[\w#+=/:,.@-]*", "", "a", "", "\u{e9}"),
    sample(r"[\w+=/:,.@\-\*]*", "", "a", "", "\u{e9}"),
    sample(r"[\w+=/:,.@-]*", "", "a", "", "*"),
];

fn sample_of(pattern: &str) -> &'static Sample {
    let found = SAMPLES.iter().find(|one| pattern.starts_with(one.pattern));
    found.unwrap_or_else(|| panic!("no sample for the pattern {pattern}"))
}

/// A text of `length` characters, or of a few more where the pattern needs them.
fn text_of(text: &Text, length: usize) -> String {
    if let Some(value) = text.values.first() {
        return (*value).to_owned();
    }
    let Some(pattern) = text.pattern else {
        return "a".repeat(length);
    };
    let Sample {
        head, unit, tail, ..
    } = sample_of(pattern.as_str());
    let fixed = head.len() + tail.len();
    let least = usize::from(fixed > 0);
    let middle = unit.repeat(length.saturating_sub(fixed).max(least));
    format!("{head}{middle}{tail}")
}

fn at_least_one(limits: Limits) -> usize {
    limits.min.unwrap_or(1).max(1) as usize
}

/// A value with all members, one item per list and as few entries as a map may have.
fn full(shape: &Shape) -> Json {
    match shape {
        Shape::String(text) => Json::string(text_of(text, at_least_one(text.length))),
        Shape::Integer(limits) | Shape::Long(limits) | Shape::Double(limits) => {
            Json::integer(i64::from(limits.min.unwrap_or(1)))
        }
        Shape::Boolean => Json::Bool(true),
        Shape::Timestamp => Json::Number("1763668800.123".into()),
        Shape::Blob => Json::string("YQ=="),
        Shape::List { length, item } => Json::Array(vec![full(item); at_least_one(*length)]),
        Shape::Map { length, .. } => entries(shape, at_least_one(*length)),
        Shape::Structure(members) => {
            let members = members.iter();
            let full = members.map(|member| (member.name.into(), full(member.shape)));
            Json::Object(full.collect())
        }
    }
}

/// A map with `n` entries of different names.
fn entries(shape: &Shape, n: usize) -> Json {
    let Shape::Map { key, value, .. } = shape else {
        panic!("no map")
    };
    let Shape::String(key) = key else {
        panic!("names of a map are texts")
    };
    let first = at_least_one(key.length);
    let entry = |i: usize| (text_of(key, first + i).into(), full(value));
    Json::Object((0..n).map(entry).collect())
}

/// What a value is expected to be refused for.
#[derive(Clone, Debug)]
enum Fault {
    Breaks(Constraint),
    Type(&'static str),
}

/// A broken value, and what is to be reported where.
#[derive(Clone)]
struct Broken {
    value: Json,
    path: String,
    fault: Fault,
}

impl Broken {
    fn here(value: Json, fault: Fault) -> Self {
        Broken {
            value,
            path: String::new(),
            fault,
        }
    }
}

/// `shape` with each of its constraints broken, one by one.
fn broken(shape: &'static Shape) -> Vec<Broken> {
    let mut all = of_length(shape);
    match shape {
        Shape::String(text) => {
            if let Some(pattern) = text.pattern {
                let valid = text_of(text, at_least_one(text.length));
                let bad = sample_of(pattern.as_str()).bad;
                let value = bad.chars().chain(valid.chars().skip(1)).collect::<String>();
                let fault = Fault::Breaks(Constraint::Pattern(pattern.as_str()));
                all.push(Broken::here(Json::string(value), fault));
            }
            if let Some(first) = text.values.first() {
                let fault = Fault::Breaks(Constraint::OneOf(text.values));
                let value = first.to_lowercase() + "_";
                all.push(Broken::here(Json::string(value), fault));
            }
            let fault = Fault::Type("NUMBER_VALUE can not be converted to a String");
            all.push(Broken::here(Json::integer(1), fault));
        }
        Shape::List { item, .. } => all.extend(of_items(item)),
        Shape::Map { .. } => all.extend(of_entries(shape)),
        Shape::Structure(members) => {
            for member in *members {
                all.extend(of_member(shape, member));
            }
            let fault = Fault::Type("Expected structure or null");
            all.push(Broken::here(Json::string("x"), fault));
        }
        _ => all.push(Broken::here(
            Json::string("x"),
            Fault::Type(match shape {
                Shape::Integer(_) => "STRING_VALUE can not be converted to an Integer",
                Shape::Long(_) => "STRING_VALUE can not be converted to a Long",
                Shape::Double(_) => "STRING_VALUE can not be converted to a Double",
                Shape::Boolean => "STRING_VALUE can not be converted to a Boolean",
                Shape::Timestamp => "STRING_VALUE can not be converted to a Timestamp",
                _ => "STRING_VALUE can not be converted to a Blob",
            }),
        )),
    }
    all
}

/// One too many, one too few, one too great, one too small.
fn of_length(shape: &'static Shape) -> Vec<Broken> {
    let (limits, is_number) = match shape {
        Shape::String(text) => (text.length, false),
        Shape::List { length, .. } | Shape::Map { length, .. } => (*length, false),
        Shape::Integer(limits) | Shape::Long(limits) | Shape::Double(limits) => (*limits, true),
        _ => return Vec::new(),
    };
    let sized = |n: i64| match shape {
        Shape::String(text) if n == 0 => {
            Json::string(text_of(text, 0).chars().take(0).collect::<String>())
        }
        Shape::String(text) => {
            let long = text_of(text, usize::try_from(n).unwrap());
            Json::string(
                long.chars()
                    .take(usize::try_from(n).unwrap())
                    .collect::<String>(),
            )
        }
        Shape::List { item, .. } => Json::Array(vec![full(item); usize::try_from(n).unwrap()]),
        Shape::Map { .. } => entries(shape, usize::try_from(n).unwrap()),
        _ => Json::integer(n),
    };
    let mut all = Vec::new();
    if let Some(max) = limits.max {
        let broken = match is_number {
            true => Constraint::ValueMax(max),
            false => Constraint::LengthMax(max),
        };
        all.push(Broken::here(
            sized(i64::from(max) + 1),
            Fault::Breaks(broken),
        ));
    }
    if let Some(min) = limits.min.filter(|min| *min > 0 || is_number) {
        let broken = match is_number {
            true => Constraint::ValueMin(min),
            false => Constraint::LengthMin(min),
        };
        all.push(Broken::here(
            sized(i64::from(min) - 1),
            Fault::Breaks(broken),
        ));
    }
    all
}

fn of_items(item: &'static Shape) -> Vec<Broken> {
    let null = match item.is_scalar() {
        true => Broken::here(Json::Null, Fault::Breaks(Constraint::Items(item))),
        false => Broken::here(Json::Null, Fault::Breaks(Constraint::NotNull)),
    };
    let mut all: Vec<Broken> = Vec::new();
    for mut one in broken(item).into_iter().chain([null]) {
        let in_list = matches!(one.fault, Fault::Breaks(_)) && item.is_scalar();
        one.value = Json::Array(vec![one.value]);
        if in_list {
            one.fault = Fault::Breaks(Constraint::Items(item));
        } else {
            one.path = join("1.member", &one.path);
        }
        all.push(one);
    }
    let fault = Fault::Type("Expected list or null");
    all.push(Broken::here(Json::object([]), fault));
    all
}

fn of_entries(shape: &'static Shape) -> Vec<Broken> {
    let Shape::Map {
        length,
        key,
        value,
        sparse,
    } = shape
    else {
        panic!("no map")
    };
    let rest = |skip: usize| match entries(shape, at_least_one(*length)) {
        Json::Object(entries) => entries.into_iter().skip(skip).collect(),
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for one in broken(key) {
        if let (Json::String(name), Fault::Breaks(_)) = (&one.value, &one.fault) {
            let mut map = rest(1);
            map.push((name.clone(), full(value)));
            let fault = Fault::Breaks(Constraint::Keys(key));
            all.push(Broken::here(Json::Object(map), fault));
        }
    }
    let null = Broken::here(Json::Null, Fault::Breaks(Constraint::NotNull));
    for one in broken(value).into_iter().chain((!sparse).then_some(null)) {
        let mut map = rest(0);
        map[0].1 = one.value;
        let fault = match one.fault {
            Fault::Breaks(_) => Fault::Breaks(Constraint::Values(value)),
            fault => fault,
        };
        all.push(Broken::here(Json::Object(map), fault));
    }
    let fault = Fault::Type("Expected map or null");
    all.push(Broken::here(Json::Array(Vec::new()), fault));
    all
}

fn of_member(shape: &'static Shape, member: &'static Member) -> Vec<Broken> {
    let mut all = broken(member.shape);
    if member.param.is_some() {
        all.retain(fits_param);
    }
    if member.required {
        all.push(Broken::here(Json::Null, Fault::Breaks(Constraint::NotNull)));
    }
    for one in &mut all {
        let mut whole = full(shape);
        whole.set(member.name, one.value.clone());
        one.value = whole;
        one.path = join(member.name, &one.path);
    }
    all
}

/// A parameter is a text, so that a text is never of a wrong type; and no list of them is empty.
fn fits_param(one: &Broken) -> bool {
    let is_written = |value: &Json| value.as_str().is_some();
    match &one.value {
        Json::Array(items) => !items.is_empty() && items.iter().all(is_written),
        value => matches!(one.fault, Fault::Breaks(_)) || is_written(value),
    }
}

fn join(head: &str, tail: &str) -> String {
    match tail {
        "" => head.to_owned(),
        tail => format!("{head}.{tail}"),
    }
}

/// Checks a request whose parameters are written as members.
fn checked(shape: &'static Shape, whole: &Json) -> Result<(), Invalid> {
    let Shape::Structure(members) = shape else {
        panic!("a request is a structure")
    };
    let mut body = whole.clone();
    let mut params: Vec<(&str, String)> = Vec::new();
    for member in *members {
        let Some(param) = member.param else { continue };
        match body.take(member.name) {
            None | Some(Json::Null) => {}
            Some(Json::String(text)) => params.push((param, text.to_string())),
            Some(Json::Array(items)) => {
                let items = items.iter().map(|item| item.as_str().unwrap().to_owned());
                params.extend(items.map(|item| (param, item)));
            }
            Some(other) => params.push((param, other.to_string())),
        }
    }
    let params: Vec<(&str, &str)> = params.iter().map(|(k, v)| (*k, v.as_str())).collect();
    check(shape, &body, &params)
}

/// Breaks everything that the tables of `operations` say. Returns how many requests were tried.
pub(crate) fn walk(operations: &[Operation]) -> usize {
    let mut n_tried = 0;
    for Operation { name, input } in operations {
        assert_eq!(checked(input, &full(input)), Ok(()), "{name}");
        assert_eq!(checked(input, &least(input)), Ok(()), "{name}");
        for one in broken(input) {
            if one.path.is_empty() {
                continue;
            }
            n_tried += 1;
            let found = checked(input, &one.value);
            let label = format!("{name} {} {:?}: {found:?}", one.path, one.fault);
            match (&one.fault, found) {
                (Fault::Type(wanted), Err(Invalid::Type { path, message })) => {
                    assert_eq!((path, message.as_str()), (one.path, *wanted), "{label}");
                }
                (Fault::Breaks(constraint), Err(Invalid::Violations { n_all, listed })) => {
                    assert!(listed.iter().all(|v| v.path == one.path), "{label}");
                    assert!(
                        listed.iter().any(|v| v.constraint == *constraint),
                        "{label}"
                    );
                    assert_eq!(n_all, listed.len(), "{label}");
                }
                _ => panic!("{label}"),
            }
        }
    }
    n_tried
}

/// A value with what must be there only.
fn least(shape: &Shape) -> Json {
    match shape {
        Shape::Structure(members) => {
            let members = members.iter().filter(|member| member.required);
            // A list among parameters is there by its items only.
            let least = members.map(|member| match member.param {
                Some(_) => (member.name.into(), full(member.shape)),
                None => (member.name.into(), least(member.shape)),
            });
            Json::Object(least.collect())
        }
        Shape::List { length, item } => {
            Json::Array(vec![least(item); length.min.unwrap_or(0) as usize])
        }
        shape => full(shape),
    }
}

/// Asserts what the validator takes for granted about tables: names as the API spells them,
/// patterns that compile, lists of names that repeat nothing, maps of scalars, and few levels.
pub(crate) fn sane(operations: &[Operation]) {
    let mut names: Vec<&str> = operations.iter().map(|operation| operation.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), operations.len());
    for operation in operations {
        assert!(
            matches!(operation.input, Shape::Structure(_)),
            "{}",
            operation.name
        );
        is_sane(operation.input, 12);
    }
}

fn is_sane(shape: &Shape, levels_left: usize) {
    assert!(levels_left > 0, "deeper than the validator should go");
    match shape {
        Shape::String(text) => {
            if let Some(pattern) = text.pattern {
                let valid = text_of(text, at_least_one(text.length));
                assert!(pattern.matches(&valid), "{} {valid}", pattern.as_str());
                assert!(!pattern.as_str().contains(r"\\"), "{}", pattern.as_str());
            }
        }
        Shape::List { item, .. } => is_sane(item, levels_left - 1),
        Shape::Map { key, value, .. } => {
            assert!(matches!(key, Shape::String(_)) && value.is_scalar());
            is_sane(key, levels_left - 1);
            is_sane(value, levels_left - 1);
        }
        Shape::Structure(members) => {
            for (i, member) in members.iter().enumerate() {
                assert!(member.name.starts_with(|c: char| c.is_ascii_lowercase()));
                assert!(members[..i].iter().all(|other| other.name != member.name));
                is_sane(member.shape, levels_left - 1);
            }
        }
        _ => {}
    }
}
