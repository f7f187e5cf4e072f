//! Escapes in strings of JSON, which have been looked at: what they say.

use super::scan::{Run, plain_length};

/// What is written to, piece by piece.
pub(super) trait Out {
    fn byte(&mut self, byte: u8);
    fn run(&mut self, run: Run<'_>);
}

impl Out for Vec<u8> {
    fn byte(&mut self, byte: u8) {
        self.push(byte);
    }

    fn run(&mut self, run: Run<'_>) {
        self.extend_from_slice(run.bytes());
    }
}

/// Writes what stands between quotes without its escapes, in UTF-8; half a surrogate pair is written as WTF-8 has it.
pub(super) fn unescape(inside: Run<'_>, out: &mut impl Out) {
    let mut rest = inside;
    loop {
        let plain = plain_length(rest.from).min(rest.length);
        out.run(Run { length: plain, ..rest });
        rest = rest.behind(plain);
        if rest.length == 0 {
            return;
        }
        let (code, length) = code(rest.bytes());
        encode(code, out);
        rest = rest.behind(length);
    }
}

/// The code point of the escape that begins here, and how long it is.
fn code(escape: &[u8]) -> (u32, usize) {
    let letter = match escape.get(1).copied().unwrap_or_default() {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return pair(unit(escape), escape.get(6..).unwrap_or_default()),
        letter => letter,
    };
    (u32::from(letter), 2)
}

/// Two units of UTF-16 that are one code point, or the first alone.
fn pair(first: u32, rest: &[u8]) -> (u32, usize) {
    let second = if rest.starts_with(b"\\u") { unit(rest) } else { 0 };
    match (first, second) {
        (0xd800..0xdc00, 0xdc00..0xe000) => (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12),
        _ => (first, 6),
    }
}

fn unit(escape: &[u8]) -> u32 {
    let digits = escape.get(2..6).unwrap_or_default();
    digits.iter().fold(0, |unit, digit| (unit << 4) | char::from(*digit).to_digit(16).unwrap_or_default())
}

fn encode(code: u32, out: &mut impl Out) {
    match char::from_u32(code) {
        Some(letter) => letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| out.byte(byte)),
        // Half a pair has three bytes.
        None => [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]
            .into_iter()
            .for_each(|byte| out.byte(low(byte))),
    }
}

fn low(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::Visitor;
    use serde::{Deserialize, Deserializer};

    use super::*;

    fn said(inside: &str) -> Vec<u8> {
        let mut out = b"before ".to_vec();
        unescape(Run::of(inside.as_bytes()), &mut out);
        out.split_off(7)
    }

    #[test]
    fn escapes_say_what_the_grammar_has_them_say() {
        for (inside, text) in [
            ("", ""),
            ("plain \u{e9}", "plain \u{e9}"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\u0041\u00e9\u20AC", "A\u{e9}\u{20ac}"),
            (r"a\ud83d\uDE00b", "a\u{1f600}b"),
            (r"\\u0041", "\\u0041"),
        ] {
            assert_eq!(said(inside), text.as_bytes(), "{inside}");
        }
        assert_eq!(said(r"\ud83dx"), [0xed, 0xa0, 0xbd, b'x']);
        assert_eq!(said(r"\ude00\ud83d"), [0xed, 0xb8, 0x80, 0xed, 0xa0, 0xbd]);
    }

    /// As serde_json has it.
    struct Theirs(Vec<u8>);

    impl<'de> Deserialize<'de> for Theirs {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Bytes;
            impl Visitor<'_> for Bytes {
                type Value = Theirs;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a string")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Theirs, E> {
                    Ok(Theirs(bytes.to_vec()))
                }
            }
            deserializer.deserialize_bytes(Bytes)
        }
    }

    proptest! {
        #[test]
        fn and_what_serde_json_has_them_say(inside in r#"([ -!#-\[\]-~\u{e9}]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}|\\u[dD][89abcdefABCDEF][0-9a-f]{2}){0,12}"#) {
            let Theirs(theirs) = serde_json::from_str(&format!("\"{inside}\"")).unwrap();
            prop_assert_eq!(said(&inside), theirs, "{}", inside);
        }
    }
}
