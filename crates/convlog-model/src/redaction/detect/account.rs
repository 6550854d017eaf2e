//! International bank account numbers: the library knows the length and form of each country, and
//! the checksum.

use std::ops::Range;

use iban::Iban;

use super::{may_begin, may_end, separator_len};

const LEN_MIN: usize = 15;
const LEN_MAX: usize = 34;

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let begins = match bytes.get(at..) {
            Some([a, b, c, d, ..]) => {
                a.is_ascii_alphabetic()
                    && b.is_ascii_alphabetic()
                    && c.is_ascii_digit()
                    && d.is_ascii_digit()
            }
            _ => break,
        };
        match (begins && may_begin(text, at))
            .then(|| number(text, at))
            .flatten()
        {
            Some(end) => {
                found.push(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

/// The end of the number that begins here. Groups have one sign between them.
fn number(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut compact = String::with_capacity(LEN_MAX);
    let mut end = None;
    let mut at = start;
    loop {
        while let Some(byte) = bytes.get(at).filter(|byte| byte.is_ascii_alphanumeric()) {
            if compact.len() == LEN_MAX {
                return end;
            }
            compact.push(char::from(byte.to_ascii_uppercase()));
            at += 1;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let gap = separator_len(rest);
        if may_end(text, at) && compact.len() >= LEN_MIN && compact.parse::<Iban>().is_ok() {
            end = Some(at);
        }
        let goes_on = bytes.get(at + gap).is_some_and(u8::is_ascii_alphanumeric);
        if gap == 0 || !goes_on {
            return end;
        }
        at += gap;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Detector, check};

    #[test]
    fn account_numbers() {
        check(
            Detector::Iban,
            &[
                "<DE89370400440532013000>",
                "<DE89 3704 0044 0532 0130 00>",
                "<DE89-3704-0044-0532-0130-00>",
                "<DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00>",
                "<de89370400440532013000>",
                "<De89 3704 0044 0532 0130 00>",
                "IBAN: <DE89370400440532013000>",
                "iban=<DE89370400440532013000>&x=1",
                "my account is <DE89 3704 0044 0532 0130 00> and yours?",
                "<DE89370400440532013000>.",
                "(<DE89370400440532013000>)",
                "\"<DE89370400440532013000>\"",
                "<AT611904300234573201>",
                "<AT61 1904 3002 3457 3201>",
                "<CH9300762011623852957>",
                "<CH93 0076 2011 6238 5295 7>",
                "<FR1420041010050500013M02606>",
                "<FR14 2004 1010 0505 0001 3M02 606>",
                "<GB29NWBK60161331926819>",
                "<GB29 NWBK 6016 1331 9268 19>",
                "<gb29nwbk60161331926819>",
                "<NL91ABNA0417164300>",
                "<NL91 ABNA 0417 1643 00>",
                "<BE68539007547034>",
                "<BE68 5390 0754 7034>",
                "<IT60X0542811101000000123456>",
                "<ES9121000418450200051332>",
                "<PT50000201231234567890154>",
                "<SE4550000000058398257466>",
                "<NO9386011117947>",
                "<NO93 8601 1117 947>",
                "<DK5000400440116243>",
                "<FI2112345600000785>",
                "<IE29AIBK93115212345678>",
                "<LU280019400644750000>",
                "<PL61109010140000071219812874>",
                "<CZ6508000000192000145399>",
                "<HU42117730161111101800000000>",
                "<GR1601101250000000012300695>",
                "<TR330006100519786457841326>",
                "<SA0380000000608010167519>",
                "<AE070331234567890123456>",
                "账号<DE89370400440532013000>",
                "Konto:\u{a0}<DE89370400440532013000>",
                "a <DE89370400440532013000> b <BE68539007547034> c",
                "<MT84MALT011000012345MTLCAST001S>",
            ],
            &[
                "DE89370400440532013001",
                "DE88370400440532013000",
                "DE89 3704 0044 0532 0130 01",
                "DE8937040044053201300",
                "DE893704004405320130000",
                "DE89 3704 0044 0532 0130",
                "GB29NWBK60161331926818",
                "GB28NWBK60161331926819",
                "FR1420041010050500013M02607",
                "AT611904300234573202",
                "NL91ABNA0417164301",
                "BE68539007547035",
                "CH9300762011623852958",
                "NO9386011117948",
                "xDE89370400440532013000",
                "1DE89370400440532013000",
                "_DE89370400440532013000",
                "DE89370400440532013000x",
                "DE89370400440532013000_1",
                "DE89370400440532013000é",
                "XY89370400440532013000",
                "ZZ6853900754703400",
                "QQ12345678901234567890",
                "D E89370400440532013000",
                "DE8 9370400440532013000",
                "DE89  3704  0044  0532  0130  00",
                "DE89.3704.0044.0532.0130.00",
                "DE89/3704/0044/0532/0130/00",
                "89370400440532013000",
                "DE89",
                "DE 89",
                "AB12CD34EF56GH78",
                "AKIA1234567890ABCDEF",
                "ab12cd34-ef56-7890-abcd-ef1234567890",
                "4111111111111111",
                "US64SVBKUS6S3300958879",
                "CA00000000000000000000",
                "order DE2026030100001234",
                "RF18539007547034",
                "GB82WEST1234569876543",
                "",
                "DE",
                "IE29AIBK931152123456789",
            ],
        );
    }
}
