//! Just enough of Rust's lexer to tell code from comments and literals.

/// The text with comments, strings and characters blanked; every line keeps its place.
pub(crate) fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        match skipped_end(&chars, at) {
            Some(end) => {
                let skipped = chars.iter().take(end).skip(at);
                code.extend(skipped.map(|c| if *c == '\n' { '\n' } else { ' ' }));
                at = end;
            }
            None => {
                code.push(c);
                at += 1;
            }
        }
    }
    code
}

/// Where the comment or literal that starts at `at` ends, if one does.
fn skipped_end(chars: &[char], at: usize) -> Option<usize> {
    let c = *chars.get(at)?;
    let next = chars.get(at + 1).copied();
    match c {
        '/' if next == Some('/') => Some(find(chars, at, |c| c == '\n')),
        '/' if next == Some('*') => Some(block_comment_end(chars, at)),
        '"' => Some(string_end(chars, at + 1)),
        '\'' => char_end(chars, at),
        'r' if !follows_identifier(chars, at) => raw_string_end(chars, at + 1),
        _ => None,
    }
}

fn find(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    let rest = chars.iter().skip(from);
    rest.take_while(|c| !wanted(**c)).count() + from
}

fn block_comment_end(chars: &[char], from: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = from;
    while at < chars.len() {
        match (chars.get(at), chars.get(at + 1)) {
            (Some('/'), Some('*')) => {
                depth += 1;
                at += 2;
            }
            (Some('*'), Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn string_end(chars: &[char], from: usize) -> usize {
    let mut at = from;
    loop {
        match chars.get(at) {
            Some('\\') => at += 2,
            Some('"') => return at + 1,
            Some(_) => at += 1,
            None => return chars.len(),
        }
    }
}

/// A quote opens a character or is the start of a lifetime, which is code.
fn char_end(chars: &[char], at: usize) -> Option<usize> {
    if chars.get(at + 1) == Some(&'\\') {
        return Some(find(chars, at + 3, |c| c == '\'') + 1);
    }
    (chars.get(at + 2) == Some(&'\'')).then_some(at + 3)
}

fn raw_string_end(chars: &[char], from: usize) -> Option<usize> {
    let open = find(chars, from, |c| c != '#');
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let n_hashes = open - from;
    let mut at = open + 1;
    while at < chars.len() {
        let hashes = chars.iter().skip(at + 1).take(n_hashes);
        if chars.get(at) == Some(&'"') && hashes.filter(|c| **c == '#').count() == n_hashes {
            return Some(at + 1 + n_hashes);
        }
        at += 1;
    }
    Some(at)
}

/// `br` and `cr` are prefixes of raw strings too; any other letter before makes an identifier.
fn follows_identifier(chars: &[char], at: usize) -> bool {
    let before = |n: usize| at.checked_sub(n).and_then(|i| chars.get(i)).copied();
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match before(1) {
        Some('b' | 'c') => is_word(before(2)),
        other => is_word(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str) {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let got = code_only(text);
        assert_eq!(words(&got), code, "{text}");
        assert_eq!(got.lines().count(), text.lines().count(), "{text}");
    }

    #[test]
    fn comments_are_no_code() {
        check("a // b\nc", "a c");
        check("a /* b /* c */ d\n */ e", "a e");
        check("//! doc\nfn a() {}", "fn a() {}");
    }

    #[test]
    fn strings_are_no_code() {
        check(r#"a("b // \" c") d"#, "a( ) d");
        check(r###"a(r#"b "c" d"#) e"###, "a( ) e");
        check(r###"a(br"b\") e"###, "a(b ) e");
        check("a(\"b\nc\") d", "a( ) d");
    }

    #[test]
    fn characters_are_no_code_and_lifetimes_are() {
        check("a('\"') b", "a( ) b");
        check(r"a('\'') b", "a( ) b");
        check("fn a<'b>(c: &'b str)", "fn a<'b>(c: &'b str)");
    }

    #[test]
    fn identifiers_that_end_in_r_are_code() {
        check("for r in var {}", "for r in var {}");
    }
}
