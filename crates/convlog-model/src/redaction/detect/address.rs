//! Addresses of IPv4 and IPv6.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::{may_begin, may_end};

/// Longest text of an address: eight groups of IPv6, the last two as IPv4.
const LEN_MAX: usize = 45;

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let len = rest.iter().take_while(|byte| is_part(byte)).count();
        if len > 0 {
            found.extend(address(text, at..at + len));
        }
        at += len.max(1);
    }
    found
}

/// The address that a run of digits, points and colons is, or has in it.
fn address(text: &str, run: Range<usize>) -> Option<Range<usize>> {
    let run = bare(text, run);
    let whole = text.get(run.clone())?;
    let is_free = |part: &Range<usize>| {
        // Between a name and an address, and between an address and a port, is a colon.
        let begins = part.start > run.start || may_begin(text, part.start);
        let ends = part.end < run.end || may_end(text, part.end);
        begins && ends
    };
    if whole.len() <= LEN_MAX && is_free(&run) && is_six(whole) {
        return Some(run);
    }
    let mut start = run.start;
    for part in whole.split(':') {
        let place = start..start + part.len();
        start = place.end + 1;
        if part.parse::<Ipv4Addr>().is_ok() && is_free(&place) {
            return Some(place);
        }
    }
    None
}

/// A run without the points and the colon of the sentence around it.
fn bare(text: &str, run: Range<usize>) -> Range<usize> {
    let whole = text.get(run.clone()).unwrap_or_default();
    let mut bare = whole.trim_start_matches('.');
    if !bare.starts_with("::") {
        bare = bare.strip_prefix(':').unwrap_or(bare);
    }
    let start = run.end - bare.len();
    bare = bare.trim_end_matches('.');
    if !bare.ends_with("::") {
        bare = bare.strip_suffix(':').unwrap_or(bare);
    }
    start..start + bare.len()
}

fn is_six(text: &str) -> bool {
    // `::` and `a::b` are signs of many languages, and no address of anybody.
    let n_hex = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let is_number = n_hex >= 4 || text.bytes().any(|byte| byte.is_ascii_digit());
    text.matches(':').count() >= 2 && is_number && text.parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::{Detector, check};

    #[test]
    fn addresses_of_machines() {
        check(
            Detector::Ip,
            &[
                "<192.168.0.1>",
                "<10.0.0.1>",
                "<8.8.8.8>",
                "<255.255.255.255>",
                "<0.0.0.0>",
                "<127.0.0.1>",
                "<203.0.113.7>",
                "from <203.0.113.7>.",
                "from <203.0.113.7>, again",
                "(<203.0.113.7>)",
                "[<203.0.113.7>]",
                "\"<203.0.113.7>\"",
                "ip=<203.0.113.7>&x=1",
                "<203.0.113.7>:443",
                "<203.0.113.7>:",
                "http://<203.0.113.7>/path",
                "http://<203.0.113.7>:8080/path",
                "<10.0.0.0>/8",
                "<203.0.113.7> - - [02/Mar/2026]",
                "<203.0.113.7>,<198.51.100.2>",
                "<203.0.113.7> <198.51.100.2>",
                "<203.0.113.7>-<203.0.113.9>",
                "X-Forwarded-For: <203.0.113.7>",
                "...<203.0.113.7>",
                "<2001:db8::1>",
                "<2001:0db8:85a3:0000:0000:8a2e:0370:7334>",
                "<2001:DB8:85A3::8A2E:370:7334>",
                "<::1>",
                "<fe80::1>",
                "<fe80::1>%eth0",
                "<fd12:3456:789a:1::1>",
                "<::ffff:192.0.2.128>",
                "<64:ff9b::192.0.2.33>",
                "<2001:db8::>",
                "<2001:db8::>/32",
                "[<2001:db8::1>]:443",
                "http://[<2001:db8::1>]/",
                "from <2001:db8::1>.",
                "from <2001:db8::1>, again",
                "ip=<2001:db8::1>&x=1",
                "ip:<203.0.113.7>",
                "\"<2001:db8::1>\"",
                "addr:<203.0.113.7>",
                "face:<203.0.113.7>:80",
                "addr:<2001:db8::1>",
                "地址<203.0.113.7>",
                "<ff02::1>",
                "<1:2:3:4:5:6:7:8>",
            ],
            &[
                "1.2.3",
                "1.2",
                "1.2.3.4.5",
                "256.1.1.1",
                "1.256.1.1",
                "1.1.1.256",
                "999.999.999.999",
                "1.2.3.",
                ".1.2.3",
                "1..2.3.4",
                "1.2.3.4a",
                "a1.2.3.4",
                "v1.2.3.4",
                "x_1.2.3.4",
                "1.2.3.4_5",
                "01.02.03.04",
                "192.168.000.001",
                "1,2,3,4",
                "1-2-3-4",
                "1 . 2 . 3 . 4",
                "3.14159",
                "12.30",
                "02.03.2026",
                "08:01:02",
                "08:01",
                "2026-03-02T08:01:02.250Z",
                "12:30:45.123",
                "00:1A:2B:3C:4D:5E",
                "::",
                "a::",
                "std::net",
                "a::b::c",
                "std::fs::File",
                "Foo::bar",
                "g::1",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "2001:db8::1::2",
                "12345::1",
                "key: value",
                "http://example.com:8080",
                "16:9",
                "10:15:30:45",
                "",
            ],
        );
    }
}
