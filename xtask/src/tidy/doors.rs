//! Absences that the compiler cannot see: who may touch files, and who may call the store.

use super::Complaint;
use super::source::Source;

/// Crates whose product code opens no files; their bytes are arguments.
const NO_FILES: &[&str] = &[
    "crates/convlog-model/",
    "crates/convlog-dialects/",
    "crates/convlog-server/",
];
const STORE: &str = "crates/convlog-store/";
/// The seam through which every disk call of the engines goes, so that tests can make it fail.
const DISK: &str = "crates/convlog-store/src/embedded/disk.rs";

const SERVER: &str = "crates/convlog-server/src/";
/// Each door of the server and the methods of the store that are its alone, with the number of
/// their arguments: it tells them from methods of iterators and header maps.
const DOORS: &[(&str, &[(&str, usize)])] = &[
    ("ingest", &[("append", 1)]),
    (
        "query",
        &[
            ("search", 1),
            ("count", 2),
            ("aggregate", 1),
            ("scan", 1),
            ("watch", 1),
        ],
    ),
];
/// Receivers that are not the store: the doors themselves.
const NOT_THE_STORE: &[&str] = &["ingest", "query"];

/// Files are opened behind one seam in the store and nowhere in model, dialects and server.
pub(super) fn files(source: &Source) -> Vec<Complaint> {
    let text = if NO_FILES.iter().any(|path| source.path.starts_with(path)) {
        "this crate opens no files: take bytes or a reader as an argument"
    } else if source.path.starts_with(STORE) && source.path != DISK {
        "disk calls of the engines go through embedded/disk.rs, where tests can make them fail"
    } else {
        return Vec::new();
    };
    let touches = |line: &str| {
        ["std::fs", "tokio::fs", "fs::"]
            .iter()
            .any(|fs| has_path(line, fs))
    };
    complain_where(source, touches, |_| text.to_owned())
}

/// Rules of model and dialects hold without exceptions, in tests too.
pub(super) fn no_expected_bans(source: &Source) -> Vec<Complaint> {
    let is_pure = NO_FILES
        .iter()
        .take(2)
        .any(|path| source.path.starts_with(path));
    let lines = source.code.lines().enumerate();
    let banned = lines.filter(|(_, line)| is_pure && line.contains("clippy::disallowed_"));
    let text = "clippy.toml's bans have no exceptions in this crate";
    banned
        .map(|(i, _)| Complaint::at(&source.path, i + 1, text.to_owned()))
        .collect()
}

/// In the server, only the ingest door appends and only the query door reads.
pub(super) fn doors(source: &Source) -> Vec<Complaint> {
    let Some(inside) = source.path.strip_prefix(SERVER) else {
        return Vec::new();
    };
    let code = source.product_code();
    let mut complaints = Vec::new();
    for (door, methods) in DOORS {
        if inside == format!("{door}.rs") || inside.starts_with(&format!("{door}/")) {
            continue;
        }
        for (method, n_arguments) in *methods {
            for line in store_calls(&code, method, *n_arguments) {
                let text = format!("`.{method}(` belongs to {door}.rs, the only door for it");
                complaints.push(Complaint::at(&source.path, line, text));
            }
        }
    }
    complaints
}

/// Lines of the calls of a method with so many arguments.
fn store_calls(code: &str, method: &str, n_arguments: usize) -> Vec<usize> {
    let call = format!(".{method}(");
    let parts: Vec<&str> = code.split(&call).collect();
    let mut line = 1;
    let mut rest = code;
    let mut found = Vec::new();
    for before in parts.iter().take(parts.len() - 1) {
        line += before.matches('\n').count();
        rest = rest.split_once(&call).map_or("", |(_, rest)| rest);
        // `Vec::append` moves the elements of another one.
        let is_of_vec = rest.trim_start().starts_with("&mut ");
        let is_store = !NOT_THE_STORE.contains(&receiver(before).as_str());
        if is_store && !is_of_vec && count_arguments(rest) == n_arguments {
            found.push(line);
        }
    }
    found
}

/// Arguments up to the parenthesis that closes the call.
fn count_arguments(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut n_arguments = 0;
    let mut is_in_argument = false;
    for c in rest.chars() {
        match c {
            ')' | ']' | '}' if depth == 0 => break,
            ',' if depth == 0 => is_in_argument = false,
            _ if c.is_whitespace() => {}
            _ => {
                n_arguments += usize::from(!is_in_argument);
                is_in_argument = true;
            }
        }
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    n_arguments
}

/// The last identifier before the dot: `headers` in `a.headers()`.
fn receiver(before: &str) -> String {
    let before = before.trim_end();
    let before = before.strip_suffix("()").unwrap_or(before);
    let name = before
        .chars()
        .rev()
        .take_while(|c| c.is_alphanumeric() || *c == '_');
    name.collect::<Vec<_>>().into_iter().rev().collect()
}

fn has_path(line: &str, path: &str) -> bool {
    let parts: Vec<&str> = line.split(path).collect();
    let starts = |left: &str| {
        left.chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
    };
    parts.len() > 1 && parts.iter().take(parts.len() - 1).any(|left| starts(left))
}

fn complain_where(
    source: &Source,
    wrong: impl Fn(&str) -> bool,
    text: impl Fn(&str) -> String,
) -> Vec<Complaint> {
    let lines = source.product_lines().filter(|(_, line)| wrong(line));
    lines
        .map(|(line, code)| Complaint::at(&source.path, line, text(code)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(complaints: &[Complaint]) -> Vec<usize> {
        complaints.iter().map(|complaint| complaint.line).collect()
    }

    #[test]
    fn the_seam_and_tests_may_open_files() {
        assert!(files(&Source::new(DISK, "use std::fs;\n")).is_empty());
        let tests = "crates/convlog-server/tests/it/main.rs";
        assert!(files(&Source::new(tests, "use std::fs;\n")).is_empty());
        assert!(files(&Source::new("crates/convlog/src/main.rs", "use std::fs;\n")).is_empty());
    }

    #[test]
    fn files_elsewhere_are_named() {
        let text = "use std::fs::File;\nlet a = prefs::b();\nfs::read(c);\n// std::fs\n";
        for path in [
            "crates/convlog-store/src/a.rs",
            "crates/convlog-model/src/a.rs",
        ] {
            assert_eq!(lines(&files(&Source::new(path, text))), [1, 3], "{path}");
        }
    }

    #[test]
    fn a_ban_of_a_pure_crate_has_no_exception() {
        let text = "#[expect(clippy::disallowed_methods, reason = \"\")]\n";
        let model = Source::new("crates/convlog-model/src/a.rs", text);
        assert_eq!(lines(&no_expected_bans(&model)), [1]);
        assert!(no_expected_bans(&Source::new("crates/convlog/src/a.rs", text)).is_empty());
    }

    #[test]
    fn the_doors_may_call_the_store() {
        let append = "store.append(batch);\n";
        assert!(doors(&Source::new("crates/convlog-server/src/ingest.rs", append)).is_empty());
        let search = "store.search(q);\nstore.count(q);\n";
        assert!(
            doors(&Source::new(
                "crates/convlog-server/src/query/page.rs",
                search
            ))
            .is_empty()
        );
        assert!(doors(&Source::new("crates/convlog/src/a.rs", append)).is_empty());
    }

    #[test]
    fn headers_iterators_and_the_doors_themselves_pass() {
        let text = "kept.append(a, b(c));\na.append(&mut b);\na.iter().count();\n\
                    a.scan(0, |b, c| b);\napp.query().search(q);\n";
        assert!(doors(&Source::new("crates/convlog-server/src/a.rs", text)).is_empty());
    }

    #[test]
    fn calls_beside_the_doors_are_named() {
        let text = "//! a\nlet b = store\n    .append(c);\nstore.count(d, &e);\nstore.watch(\n    f,\n);\n";
        let complaints = doors(&Source::new("crates/convlog-server/src/a.rs", text));
        assert_eq!(lines(&complaints), [3, 4, 5]);
        assert_eq!(
            complaints[0].to_string(),
            "crates/convlog-server/src/a.rs:3: `.append(` belongs to ingest.rs, the only door for it"
        );
    }
}
