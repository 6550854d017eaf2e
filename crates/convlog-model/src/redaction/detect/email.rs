//! E-mail addresses.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Local part, `@` (or as URLs write it), labels, and a last label of letters.
const PATTERN: &str = concat!(
    r#"(?:[\p{L}\p{N}._+'~-]+|"[^"\\\r\n]+")"#,
    r"(?:@|%40)",
    r"(?:[\p{L}\p{N}][\p{L}\p{N}-]*\.)+",
    r"(?:(?i:xn--)[A-Za-z0-9-]+|\p{L}{2,})",
);

static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PATTERN).ok());

/// Endings of files that have an `@` in their name; none of them is a top-level domain.
const FILES: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "webp", "svg", "css", "js", "pdf",
];

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    if !text.contains('@') && !text.contains("%40") {
        return Vec::new();
    }
    let Some(pattern) = &*EMAIL else {
        return Vec::new();
    };
    let found = pattern.find_iter(text);
    let addresses = found.filter(|found| {
        let last = found.as_str().rsplit('.').next().unwrap_or_default();
        !FILES.iter().any(|file| last.eq_ignore_ascii_case(file))
    });
    addresses
        .map(|found| {
            // A quote or a dash before an address is none of it.
            let bare = found.as_str().trim_start_matches(['\'', '-', '.', '~']);
            found.end() - bare.len()..found.end()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Detector, check};

    #[test]
    fn addresses_of_mail() {
        check(
            Detector::Email,
            &[
                "<alice@example.com>",
                "<alice.smith@example.com>",
                "<alice+news@example.com>",
                "<alice_smith@example.co.uk>",
                "<a@b.de>",
                "<a.b.c@d.e.f.org>",
                "<ALICE@EXAMPLE.COM>",
                "<Alice@Example.Com>",
                "<o'brien@example.ie>",
                "<alice-smith@ex-ample.com>",
                "<1234@example.com>",
                "<alice@sub.example.com>",
                "<alice@123.com>",
                "<alice@example.museum>",
                "<alice@example.photography>",
                "<jürgen@müller.de>",
                "<用户@例子.中国>",
                "<alice@xn--mller-kva.de>",
                "<alice@example.xn--p1ai>",
                "<\"john doe\"@example.com>",
                "<alice%40example.com>",
                "write to <alice@example.com>.",
                "write to <alice@example.com>, please",
                "(<alice@example.com>)",
                "'<alice@example.com>'",
                "mailto:<alice@example.com>",
                "mailto:<alice@example.com>?subject=x",
                "https://x.org/?mail=<alice@example.com>&a=b",
                "https://x.org/?mail=<alice%40example.com>&a=b",
                "Alice [<alice@example.com>]",
                "\"<alice@example.com>\"",
                "{\"mail\":\"<alice@example.com>\"}",
                "<alice@example.com>;<bob@example.com>",
                "<alice@example.com> and <bob@example.org>",
                "mail:\t<alice@example.com>\n",
                "- <alice@example.com>",
                "-<alice@example.com>",
                "<alice@example.com>/x",
                "<alice@example.com>:8080",
                "<git@github.com>:org/repo.git",
                "<no-reply@accounts.example.com>",
                "<a~b@example.com>",
                "<firstname.lastname@example-one.com>",
                "sip:<alice@voip.example.net>",
                "e-mail=<alice@example.io>",
            ],
            &[
                "alice",
                "alice@",
                "@example.com",
                "@alice",
                "alice@example",
                "alice@localhost",
                "alice@example.",
                "alice@.com",
                "alice@example.c",
                "alice@example.1",
                "alice@1.2.3",
                "alice@10.0.0.1",
                "alice @example.com",
                "alice@ example.com",
                "alice @ example.com",
                "alice at example.com",
                "alice(at)example.com",
                "alice[at]example[dot]com",
                "alice@@example.com",
                "alice.example.com",
                "lodash@4.17.21",
                "react@18.2.0",
                "@angular/core",
                "@scope/package@1.0.0",
                "logo@2x.png",
                "icon@3x.webp",
                "photo@2x.JPG",
                "user@host",
                "root@server:/var",
                "a@b",
                "a@b.c",
                "meet me @ 10.30",
                "meet @ the.1st floor",
                "5 apples @ 0.50",
                "@media screen",
                "@import url(x.css)",
                "%40",
                "50%40",
                "alice@-example.com",
                "alice@example..com",
                "twitter: @alice_smith",
                "key@value",
                "",
            ],
        );
    }
}
