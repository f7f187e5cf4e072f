//! Encodings of the wire: bytes as strict hexadecimal or Base64, text as UTF-8 or UTF-16LE.
//!
//! Strict means: no white space, no `0x`, no URL-safe alphabet, no missing or extra padding, no stray bits at the end.
//! A value has one spelling (up to the case of hexadecimal), so that nobody can send one delivery in two.

use std::fmt;

use base64::Engine as _;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::engine::general_purpose::STANDARD as BASE64;

/// Standard alphabet, padded, canonical, by vectors where the machine has them.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64: std::sync::LazyLock<base64::engine::simd::Simd> =
    std::sync::LazyLock::new(|| base64::engine::simd::Simd::standard(base64::engine::general_purpose::PAD));

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal; read in any case, written in lower case.
    Hex,
    /// Base64 of RFC 4648 section 4: standard alphabet, padded, canonical.
    Base64,
}

impl Encoding {
    /// Bytes from text.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the text is not strictly in this encoding.
    pub fn decode(self, text: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let bytes = match self {
            Self::Hex => hex(text),
            Self::Base64 => BASE64.decode(text).ok(),
        };
        bytes.ok_or(DecodeError(self.name()))
    }

    /// Exactly `N` bytes from text. Nothing is allocated, however long the text.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the text is not in this encoding or has another length.
    pub fn decode_array<const N: usize>(self, text: &[u8]) -> Result<[u8; N], DecodeError> {
        let mut bytes = [0; N];
        let exact = match self {
            Self::Hex => faster_hex::hex_decode(text, &mut bytes).is_ok_and(|decoded| decoded.len() == N),
            Self::Base64 => BASE64.decode_slice(text, &mut bytes).is_ok_and(|length| length == N),
        };
        if exact { Ok(bytes) } else { Err(DecodeError(self.name())) }
    }

    /// Text from bytes.
    #[must_use]
    pub fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => faster_hex::Hex::new(bytes).to_string(),
            Self::Base64 => BASE64.encode(bytes),
        }
    }

    /// The encoding's name in a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hex => "hexadecimal",
            Self::Base64 => "Base64",
        }
    }
}

/// How many bytes are decoded in one step. Each is checked and then written, and what is checked is still near.
const STEP: usize = 1024;

fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for step in text.chunks(2 * STEP) {
        let start = bytes.len();
        bytes.resize(start + step.len() / 2, 0);
        faster_hex::hex_decode(step, bytes.get_mut(start..)?).ok()?;
    }
    Some(bytes)
}

/// How a text is written as bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum TextEncoding {
    /// UTF-8, passed on as it is: whoever parses it checks it.
    #[default]
    Utf8,
    /// UTF-16, little end first. A byte order mark at the start is dropped; half a unit or half a pair is an error.
    Utf16Le,
}

impl TextEncoding {
    /// The same text in UTF-8.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the bytes are not text in this encoding.
    pub fn to_utf8(self, bytes: Vec<u8>) -> Result<Vec<u8>, DecodeError> {
        match self {
            Self::Utf8 => Ok(bytes),
            Self::Utf16Le => utf16le_to_utf8(&bytes).ok_or(DecodeError(self.name())),
        }
    }

    /// UTF-8 in this encoding, without a byte order mark.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the bytes had to be UTF-8 and are not.
    pub fn from_utf8(self, bytes: Vec<u8>) -> Result<Vec<u8>, DecodeError> {
        match self {
            Self::Utf8 => Ok(bytes),
            Self::Utf16Le => {
                let text = std::str::from_utf8(&bytes).map_err(|_| DecodeError(Self::Utf8.name()))?;
                Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect())
            }
        }
    }

    /// The encoding's name in a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
        }
    }
}

/// How many units are looked at in one step. Payloads are ASCII but for a few letters, and ASCII is narrowed by vectors.
const WIDE: usize = 32;

fn utf16le_to_utf8(bytes: &[u8]) -> Option<Vec<u8>> {
    let (units, []) = bytes.as_chunks() else { return None };
    let mut rest = units.strip_prefix(&[[0xFF, 0xFE]]).unwrap_or(units);
    let (mut text, mut letters) = (Vec::with_capacity(rest.len()), String::new());
    while !rest.is_empty() {
        if let Some((wide, behind)) = rest.split_first_chunk()
            && let Some(ascii) = narrow(wide)
        {
            text.extend_from_slice(&ascii);
            rest = behind;
            continue;
        }
        letters.clear();
        let mut taken = 0;
        for letter in char::decode_utf16(rest.iter().map(|unit| u16::from_le_bytes(*unit))).take(WIDE) {
            let letter = letter.ok()?;
            letters.push(letter);
            taken += letter.len_utf16();
        }
        text.extend_from_slice(letters.as_bytes());
        rest = rest.get(taken..)?;
    }
    Some(text)
}

/// The low bytes of units that are all ASCII.
fn narrow(units: &[[u8; 2]; WIDE]) -> Option<[u8; WIDE]> {
    let all = units.iter().fold(0, |all, unit| all | u16::from_le_bytes(*unit));
    (all < 0x80).then(|| units.map(|[low, _]| low))
}

/// Base64 in the URL-safe alphabet without padding, as JSON Web Keys are written.
#[cfg(feature = "asymmetric")]
pub(crate) fn base64url(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}

/// Bytes that are not in their encoding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DecodeError(&'static str);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {}, or of the wrong length", self.0)
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NEGATIVE: [(Encoding, &str, &[u8]); 26] = [
        (Encoding::Hex, "odd", b"000"),
        (Encoding::Hex, "0x", b"0x00"),
        (Encoding::Hex, "0X", b"0X00"),
        (Encoding::Hex, "only 0x", b"0x"),
        (Encoding::Hex, "letter behind f", b"0g"),
        (Encoding::Hex, "space in front", b" 0"),
        (Encoding::Hex, "space behind", b"00 "),
        (Encoding::Hex, "spaces around", b" 00 "),
        (Encoding::Hex, "space inside", b"00 0"),
        (Encoding::Hex, "newline", b"00\n0"),
        (Encoding::Hex, "newline behind", b"00\r\n"),
        (Encoding::Hex, "colon", b"00:00 "),
        (Encoding::Hex, "full-width digits", "\u{ff10}0".as_bytes()),
        (Encoding::Hex, "high bytes", &[0xB0, 0xB0]),
        (Encoding::Hex, "NUL", &[0, 0]),
        (Encoding::Base64, "padding missing", b"AA"),
        (Encoding::Base64, "padding short", b"AA="),
        (Encoding::Base64, "padding long", b"AA==="),
        (Encoding::Base64, "padding alone", b"===="),
        (Encoding::Base64, "padding inside", b"AA==AAAA"),
        (Encoding::Base64, "stray bits of two", b"AB=="),
        (Encoding::Base64, "stray bits of three", b"AAB="),
        (Encoding::Base64, "URL-safe", b"-_-_"),
        (Encoding::Base64, "newline inside", b"AAAA\nAAAA"),
        (Encoding::Base64, "newline behind", b"AAAA\n"),
        (Encoding::Base64, "not ASCII", "AAA\u{e9}".as_bytes()),
    ];

    #[test]
    fn what_is_not_the_one_spelling_is_refused() {
        for (encoding, case, text) in NEGATIVE {
            assert_eq!(encoding.decode(text), Err(DecodeError(encoding.name())), "{encoding:?} {case}");
            for refused in [
                encoding.decode_array::<0>(text).is_err(),
                encoding.decode_array::<1>(text).is_err(),
                encoding.decode_array::<2>(text).is_err(),
                encoding.decode_array::<3>(text).is_err(),
                encoding.decode_array::<6>(text).is_err(),
            ] {
                assert!(refused, "{encoding:?} {case}");
            }
        }
    }

    #[test]
    fn the_one_spelling_is_taken() {
        for (encoding, text, bytes) in [
            (Encoding::Hex, "", &[][..]),
            (Encoding::Hex, "00fFaB", &[0, 255, 171]),
            (Encoding::Base64, "", &[]),
            (Encoding::Base64, "AA==", &[0]),
            (Encoding::Base64, "AAA=", &[0, 0]),
            (Encoding::Base64, "+/+/", &[0xFB, 0xFF, 0xBF]),
        ] {
            assert_eq!(encoding.decode(text.as_bytes()).as_deref(), Ok(bytes), "{encoding:?} {text}");
        }
        assert_eq!(Encoding::Hex.encode(&[0, 255]), "00ff");
        assert_eq!(Encoding::Base64.encode(&[0, 255]), "AP8=");
    }

    #[test]
    fn no_byte_has_two_spellings_but_for_the_case_of_hexadecimal() {
        let all = || (0..=u8::MAX).flat_map(|high| (0..=u8::MAX).map(move |low| [high, low]));
        assert_eq!(all().filter(|text| Encoding::Hex.decode(text).is_ok()).count(), 22 * 22);
        assert_eq!(all().filter(|[a, b]| Encoding::Base64.decode(&[*a, *b, b'=', b'=']).is_ok()).count(), 256);
    }

    #[test]
    fn base64_by_vectors_is_base64_at_every_byte() {
        use base64::engine::general_purpose::STANDARD;
        for length in 0..=100_u8 {
            let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(151)).collect();
            let text = Encoding::Base64.encode(&bytes);
            assert_eq!(text, STANDARD.encode(&bytes));
            assert_eq!(Encoding::Base64.decode(text.as_bytes()).as_ref(), Ok(&bytes), "{text}");
            for at in (0..text.len()).rev().step_by(if length % 33 == 0 { 1 } else { 13 }) {
                for byte in 0..=u8::MAX {
                    let mut other = text.clone().into_bytes();
                    other.splice(at..=at, [byte]);
                    let plain = STANDARD.decode(&other).ok();
                    assert_eq!(Encoding::Base64.decode(&other).ok(), plain, "{byte} at {at} of {text}");
                }
                let shorter = [&text[..at], &text[at + 1..]].concat();
                assert!(Encoding::Base64.decode(shorter.as_bytes()).is_err(), "{shorter}");
            }
        }
    }

    #[test]
    fn hexadecimal_of_any_length_is_read_whole_or_not_at_all() {
        for length in [STEP - 1, STEP, STEP + 1, 2 * STEP, 3 * STEP + 7] {
            let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(151).to_le_bytes()[0]).collect();
            let text = Encoding::Hex.encode(&bytes);
            assert_eq!(Encoding::Hex.decode(text.as_bytes()).as_ref(), Ok(&bytes), "{length}");
            for at in [0, STEP - 1, 2 * STEP - 1, 2 * STEP, text.len() - 1].into_iter().filter(|at| *at < text.len()) {
                for other in [text[..at].to_owned() + "g" + &text[at + 1..], text[..at].to_owned() + &text[at + 1..]] {
                    assert!(Encoding::Hex.decode(other.as_bytes()).is_err(), "{length}, at {at}");
                }
            }
        }
    }

    #[test]
    fn an_array_has_exactly_its_length() {
        for encoding in [Encoding::Hex, Encoding::Base64] {
            for length in 0..40 {
                let text = encoding.encode(&vec![7; length]);
                let taken = encoding.decode_array::<16>(text.as_bytes());
                assert_eq!(taken.is_ok(), length == 16, "{encoding:?} {length}");
                assert_eq!(taken.unwrap_or([7; 16]), [7; 16]);
            }
        }
    }

    #[test]
    fn utf16_is_read_as_utf8_and_written_back() {
        for text in ["", "{}", "\u{e9}", "\u{20ac}", "\u{1f3e6}!", "\0"] {
            let wide = TextEncoding::Utf16Le.from_utf8(text.into()).unwrap();
            assert_eq!(TextEncoding::Utf16Le.to_utf8(wide).unwrap(), text.as_bytes(), "{text:?}");
        }
        assert_eq!(TextEncoding::Utf16Le.from_utf8(b"{}".to_vec()).unwrap(), b"{\0}\0");
        assert_eq!(TextEncoding::Utf16Le.from_utf8(vec![0xFF]), Err(DecodeError("UTF-8")));
    }

    #[test]
    fn one_byte_order_mark_is_dropped_and_half_a_letter_is_refused() {
        let cases: [(&str, &[u8], Option<&str>); 9] = [
            ("mark", b"\xFF\xFE{\0}\0", Some("{}")),
            ("mark alone", b"\xFF\xFE", Some("")),
            ("two marks", b"\xFF\xFE\xFF\xFE", Some("\u{feff}")),
            ("mark behind", b"{\0\xFF\xFE", Some("{\u{feff}")),
            ("odd", b"{\0}", None),
            ("one byte", b"{", None),
            ("high half alone", b"\x3C\xD8", None),
            ("low half alone", b"\xE6\xDF", None),
            ("halves swapped", b"\xE6\xDF\x3C\xD8", None),
        ];
        for (case, bytes, text) in cases {
            let read = TextEncoding::Utf16Le.to_utf8(bytes.to_vec());
            assert_eq!(read.ok().as_deref(), text.map(str::as_bytes), "{case}");
        }
    }

    /// Unit by unit: what the wide steps must agree with.
    fn slowly(bytes: &[u8]) -> Option<Vec<u8>> {
        let (units, []) = bytes.as_chunks() else { return None };
        let units = units.strip_prefix(&[[0xFF, 0xFE]]).unwrap_or(units);
        let letters = char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)));
        letters.collect::<Result<String, _>>().ok().map(String::into_bytes)
    }

    fn read(units: &[u16]) -> Option<Vec<u8>> {
        let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let read = TextEncoding::Utf16Le.to_utf8(bytes.clone()).ok();
        assert_eq!(read, slowly(&bytes), "{units:x?}");
        let odd = [&bytes[..], b"x"].concat();
        assert!(TextEncoding::Utf16Le.to_utf8(odd).is_err(), "{units:x?}");
        read
    }

    #[test]
    fn a_letter_and_half_a_letter_are_themselves_wherever_they_stand_in_a_wide_step() {
        for length in 0..=3 * WIDE {
            assert!(read(&vec![0x7F; length]).is_some(), "{length}");
            for at in 0..length {
                for (piece, is_text) in [
                    (&[0x80][..], true),
                    (&[0x7FF], true),
                    (&[0x2041], true),
                    (&[0xFFFF], true),
                    (&[0xD83C, 0xDFE6], true),
                    (&[0xD83C], false),
                    (&[0xDFE6], false),
                    (&[0xDFE6, 0xD83C], false),
                    (&[0xD83C, 0xD83C, 0xDFE6], false),
                    (&[0xD83C, 0xDFE6, 0xDFE6], false),
                ] {
                    let mut units = vec![0x41; length];
                    units.splice(at..=at, piece.iter().copied());
                    assert_eq!(read(&units).is_some(), is_text, "{piece:x?} at {at} of {length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn wide_steps_read_what_single_ones_do(pieces in prop::collection::vec(piece(), 0..9)) {
            read(&pieces.concat());
        }
    }

    /// Runs of ASCII as long as a step and longer, letters of any kind, and now and then a unit that may be none.
    fn piece() -> impl Strategy<Value = Vec<u16>> {
        prop_oneof![
            4 => prop::collection::vec(0..0x80_u16, 0..3 * WIDE),
            3 => any::<String>().prop_map(|text| text.encode_utf16().collect()),
            1 => prop::collection::vec(0xD7FF..=0xE000_u16, 0..3),
        ]
    }

    #[test]
    fn utf8_is_passed_on_unchanged() {
        for bytes in [vec![], vec![0xFF], b"\xEF\xBB\xBF{}".to_vec()] {
            assert_eq!(TextEncoding::Utf8.to_utf8(bytes.clone()), Ok(bytes.clone()));
            assert_eq!(TextEncoding::Utf8.from_utf8(bytes.clone()), Ok(bytes));
        }
    }
}
