//! Tokens that open doors: what follows `Bearer`, JSON web tokens, API keys of known forms, and
//! keys of AWS.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Each finds a token as its first group, else as a whole.
const BEARER: &[&str] = &[
    r#"(?i-u:\bbearer)(?-u:[ \t:=]+["']?)((?-u:[A-Za-z0-9._~+/=-]{8,}))"#,
    r"(?-u:\b)eyJ(?-u:[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,3})",
    // Keys of this program, and of others that mark theirs.
    r"(?-u:\b)(?-u:[A-Z0-9]{16,32}\.[A-Za-z0-9_-]{32,64})(?-u:\b)",
    r"(?-u:\b)sk-(?-u:[A-Za-z0-9_-]{16,})",
    r"(?-u:\b)(?:ghp|gho|ghu|ghs|ghr)_(?-u:[A-Za-z0-9]{36,})",
    r"(?-u:\b)github_pat_(?-u:[A-Za-z0-9_]{22,})",
    r"(?-u:\b)xox(?-u:[abeprs])-(?-u:[A-Za-z0-9-]{10,})",
    r"(?-u:\b)glpat-(?-u:[A-Za-z0-9_-]{20,})",
];

const AWS: &[&str] = &[
    r"(?-u:\b)(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA|ANPA|ANVA|AIPA|APKA|ASCA)(?-u:[A-Z0-9]{16})(?-u:\b)",
    r"(?-u:\b)(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)(?-u:[A-Za-z0-9/+=]{40,})",
    r"(?:^|[^A-Za-z0-9/+=])([A-Za-z0-9/+]{40})(?:$|[^A-Za-z0-9/+=])",
];

fn compiled(patterns: &[&str]) -> Vec<Regex> {
    let compiled = patterns.iter().map(|pattern| Regex::new(pattern));
    compiled.filter_map(Result::ok).collect()
}

/// Bearer tokens and the like.
pub(super) fn bearer(text: &str) -> Vec<Range<usize>> {
    static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(BEARER));
    let is_token = |token: &str| {
        let has_digit = token.bytes().any(|byte| byte.is_ascii_digit());
        has_digit || token.len() >= 32
    };
    find(&PATTERNS, text, is_token)
}

const AWS_ID_LEN: usize = 20;
/// Of nothing else that the patterns find.
const AWS_SECRET_LEN: usize = 40;

/// Keys of AWS. A secret looks like much else: it is one where the text speaks of it.
pub(super) fn aws(text: &str) -> Vec<Range<usize>> {
    static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(AWS));
    if text.len() < AWS_ID_LEN {
        return Vec::new();
    }
    let lower = text.to_ascii_lowercase();
    let is_about = ["aws", "secret", "akia", "asia"]
        .into_iter()
        .any(|word| lower.contains(word));
    let has = |token: &str, is: fn(&u8) -> bool| token.bytes().any(|byte| is(&byte));
    let is_secret = |token: &str| {
        is_about
            && has(token, u8::is_ascii_digit)
            && has(token, u8::is_ascii_uppercase)
            && has(token, u8::is_ascii_lowercase)
    };
    find(&PATTERNS, text, |token| {
        token.len() != AWS_SECRET_LEN || is_secret(token)
    })
}

/// What any of the patterns finds, as one part where they overlap.
fn find(patterns: &[Regex], text: &str, is_token: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for pattern in patterns {
        let mut at = 0;
        while let Some(groups) = pattern.captures_at(text, at) {
            let Some(token) = groups.get(1).or_else(|| groups.get(0)) else {
                break;
            };
            if is_token(token.as_str()) {
                found.push(token.range());
            }
            // The sign behind a token may be the one before the next.
            at = token.end();
        }
    }
    found.sort_by_key(|part| (part.start, part.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for part in found {
        match apart.last_mut().filter(|last| part.start < last.end) {
            Some(last) => last.end = last.end.max(part.end),
            None => apart.push(part),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::super::{Detector, check};
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        for patterns in [BEARER, AWS] {
            assert_eq!(compiled(patterns).len(), patterns.len());
        }
    }

    #[test]
    fn bearer_tokens() {
        check(
            Detector::Bearer,
            &[
                "Bearer <abc123def456>",
                "bearer <abc123def456>",
                "BEARER <abc123def456>",
                "Authorization: Bearer <abc123def456>",
                "authorization:bearer <abc123def456>",
                "Bearer: <abc123def456>",
                "bearer=<abc123def456>",
                "Bearer  <abc123def456>",
                "Bearer \"<abc123def456>\"",
                "Bearer '<abc123def456>'",
                "curl -H 'Authorization: Bearer <abc123def456>' https://x.org",
                "Bearer <mF_9.B5f-4.1JqM>",
                "Bearer <abcdefghijklmnopqrstuvwxyzabcdefghij>",
                "Bearer <dGhpcyBpcyBhIHRva2VuMQ==>",
                "Bearer <a1b2c3d4>, and more",
                "(Bearer <a1b2c3d4>)",
                "Bearer <a1b2c3d4> Bearer <e5f6g7h8>",
                "令牌Bearer <a1b2c3d4e5>",
                "<eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P>",
                "Bearer <eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P>",
                "token=<eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0In0.>",
                "jwt: <eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.c2ln>!",
                "?id_token=<eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2lnMQ>&x=1",
                "<eyJhbGciOiJSU0EtT0FFUCJ9.OKOawDo13gRp2ojaHV7.48V1_ALb6US04U3b.5eym8TW_c8SuK0lt.XFBoMYUZodetZdvT>",
                "\"<eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3>\"",
                "<TESTTESTTESTTEST.tests-on-loopback-only_0123456789-abcdef>",
                "key <ADMINADMINADMIN1.admin_secret-admin_secret-admin_secret-42>.",
                "--key <ABCDEFGHIJKLMNOP.abcdefghijklmnopqrstuvwxyz012345>",
                "apikey:<ABCDEFGHIJKLMNOP.abcdefghijklmnopqrstuvwxyz012345>",
                "<sk-abcdef0123456789abcdef>",
                "<sk-proj-abcdef0123456789_abcdef>",
                "OPENAI_API_KEY=<sk-abcdef0123456789abcdef>",
                "\"<sk-ant-api03-abcdef0123456789>\"",
                "<ghp_0123456789abcdefghijABCDEFGHIJ012345>",
                "<gho_0123456789abcdefghijABCDEFGHIJ012345>",
                "<ghs_0123456789abcdefghijABCDEFGHIJ012345>",
                "https://x:<ghp_0123456789abcdefghijABCDEFGHIJ012345>@host/y",
                "<github_pat_11ABCDEFG0123456789_abcdefghij>",
                "<xoxb-123456789012-abcdefghijkl>",
                "<xoxp-123456789012-abcdefghijkl>",
                "slack: <xoxa-2-123456789012>",
                "<glpat-0123456789abcdefghij>",
                "PRIVATE-TOKEN: <glpat-ABCDEFGHIJ0123456789>",
                "Bearer\t<abc123def456>",
            ],
            &[
                "Bearer",
                "bearer of bad news",
                "the bearer is responsible",
                "bearer authentication",
                "Bearer realm",
                "Bearer token",
                "Bearer <token>",
                "Bearer $TOKEN",
                "Bearer ***",
                "Bearer abc",
                "Bearer a1b2",
                "Bearer {token}",
                "forbearer abc123def456",
                "bearerabc123def456",
                "bearers abc123def456",
                "Bearer, abc123def456",
                "Bearer [redacted:bearer]",
                "standard-bearer internationally",
                "eyJ",
                "eyJhbGciOiJIUzI1NiJ9",
                "eyJhbGciOiJIUzI1NiJ9.",
                "eyJhbGciOiJIUzI1NiJ9.eyJz",
                "eyJ.eyJ.abc",
                "xeyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
                "hey.Joe.went",
                "www.example.com",
                "com.example.package.Class",
                "v1.2.3-beta",
                "file.tar.gz",
                "SHORT.abcdefghijklmnopqrstuvwxyz012345",
                "abcdefghijklmnop.abcdefghijklmnopqrstuvwxyz012345",
                "ABCDEFGHIJKLMNOP.short",
                "0123456789ABCDEF.json",
                "sk-1234",
                "risk-abcdef0123456789abcdef",
                "task-0123456789abcdef0123",
                "sk_abcdef0123456789abcdef",
                "ghp_short",
                "ghx_0123456789abcdefghijABCDEFGHIJ012345",
                "github_pat_short",
                "xoxz-123456789012-abcdefghijkl",
                "xoxb-123",
                "glpat-short",
                "550e8400-e29b-41d4-a716-446655440000",
                "",
            ],
        );
    }

    #[test]
    fn keys_of_aws() {
        check(
            Detector::Aws,
            &[
                "<AKIAIOSFODNN7EXAMPLE>",
                "<AKIA1234567890ABCDEF>",
                "<ASIAIOSFODNN7EXAMPLE>",
                "<ABIAIOSFODNN7EXAMPLE>",
                "<ACCAIOSFODNN7EXAMPLE>",
                "<AROAIOSFODNN7EXAMPLE>",
                "<AIDAIOSFODNN7EXAMPLE>",
                "<AGPAIOSFODNN7EXAMPLE>",
                "<ANPAIOSFODNN7EXAMPLE>",
                "<ANVAIOSFODNN7EXAMPLE>",
                "<AIPAIOSFODNN7EXAMPLE>",
                "<APKAIOSFODNN7EXAMPLE>",
                "<ASCAIOSFODNN7EXAMPLE>",
                "key <AKIAIOSFODNN7EXAMPLE>.",
                "key=<AKIAIOSFODNN7EXAMPLE>&x=1",
                "(<AKIAIOSFODNN7EXAMPLE>)",
                "\"<AKIAIOSFODNN7EXAMPLE>\"",
                "Credential=<AKIAIOSFODNN7EXAMPLE>/20260302/eu-west-1",
                "aws_access_key_id = <AKIAIOSFODNN7EXAMPLE>",
                "<AKIAIOSFODNN7EXAMPLE> <ASIAIOSFODNN7EXAMPLE>",
                "<AKIAIOSFODNN7EXAMPLE>:<wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>",
                "<AKIAIOSFODNN7EXAMPLE> / <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>",
                "id <AKIAIOSFODNN7EXAMPLE>\n<wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>\n",
                "secret: <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>",
                "Secret <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>",
                "aws_secret_access_key = <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>",
                "AWS_SECRET_ACCESS_KEY: <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>",
                "SecretAccessKey \"<wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>\"",
                "'<wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>' is my secret",
                "my aws key is <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>",
                "my aws key is <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>.",
                "my aws key is <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>, thanks",
                "(aws <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY>)",
                "aws <wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY> <je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY>",
                "aws <abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123>",
                "token <FwoGZXIvYXdzEBYaDHhBTEMPLESessionToken0123456789abcdefghijklm/+==>",
                "<IQoJb3JpZ2luX2VjEAAaCXVzLWVhc3QtMSJHMEUCIQDabcdefghijklmnopqrstu=>",
                "密钥<AKIAIOSFODNN7EXAMPLE>",
                "export AWS_ACCESS_KEY_ID=<AKIAIOSFODNN7EXAMPLE>",
                "arn <AROAIOSFODNN7EXAMPLE>:session",
                "[<AKIAIOSFODNN7EXAMPLE>]",
                "user/<AIDAIOSFODNN7EXAMPLE>/x",
            ],
            &[
                "AKIA",
                "AKIAIOSFODNN7",
                "AKIAIOSFODNN7EXAMPL",
                "AKIAIOSFODNN7EXAMPLEX",
                "AKIAIOSFODNN7EXAMPLE1",
                "akiaiosfodnn7example",
                "AkiaIOSFODNN7EXAMPLE",
                "AKIBIOSFODNN7EXAMPLE",
                "BKIAIOSFODNN7EXAMPLE",
                "xAKIAIOSFODNN7EXAMPLE",
                "1AKIAIOSFODNN7EXAMPLE",
                "_AKIAIOSFODNN7EXAMPLE",
                "AKIAIOSFODNN7EXAMPLE_",
                "AKIA IOSFODNN7EXAMPLE",
                "AKIA-IOSFODNN7EXAMPLE",
                "AKIAIOSFODNN7EXaMPLE",
                "ASIA is a continent",
                "the AIDA opera",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "text wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE",
                "secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEYY",
                "secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY=",
                "aws commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
                "aws 2FD4E1C67A2D28FCED849EE1BB76E7391B93EB12",
                "aws abcdefghijklmnopqrstuvwxyzabcdefghijklmn",
                "aws abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN",
                "aws 0123456789012345678901234567890123456789",
                "secret meeting at nine",
                "aws s3 cp file s3://bucket/key",
                "arn:aws:s3:::bucket/key",
                "arn:aws:iam::123456789012:user/alice",
                "aws region eu-west-1",
                "https://bucket.s3.amazonaws.com/some/long/path/to/a/file",
                "FwoGZXIvYXdz",
                "IQoJb3JpZ2lu",
                "IQoJb3JpZ2luX2Vj",
                "eyJhbGciOiJIUzI1NiJ9",
                "550e8400-e29b-41d4-a716-446655440000",
                "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "AKIAIOSFODNN7EXAMPLEAKIAIOSFODNN7EXAMPLE",
                "",
            ],
        );
    }
}
