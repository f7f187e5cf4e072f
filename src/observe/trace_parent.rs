//! [`TraceParent`]: which trace a request is in, by its sender's word.

use std::fmt;

use http::{HeaderMap, HeaderName};

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// `00-`, the trace, the span, and the flags.
const LENGTH: usize = 55;
/// What a later version may add is not looked at, and is not longer.
const LONGEST: usize = 256;

/// A `traceparent` as the [W3C](https://www.w3.org/TR/trace-context/#traceparent-header) has it: the trace of a request, and
/// the span that sent it. Nothing proves either.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TraceParent {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    flags: u8,
}

impl TraceParent {
    /// The one of these headers. `None` where there is none, are several, or what there is cannot be read: a request is never
    /// refused for it.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(TRACEPARENT).iter();
        let only = all.next().filter(|_| all.next().is_none())?;
        Self::read(only.as_bytes())
    }

    /// Reads the value of the header.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        Self::read(value.as_bytes())
    }

    fn read(value: &[u8]) -> Option<Self> {
        let (known, more) = value.split_at_checked(LENGTH).filter(|_| value.len() <= LONGEST)?;
        let mut parts = known.split(|byte| *byte == b'-');
        let [version] = hex(parts.next()?)?;
        let (trace_id, span_id, [flags]) = (hex(parts.next()?)?, hex(parts.next()?)?, hex(parts.next()?)?);
        let is_known = version == 0 && more.is_empty();
        let is_later = (1..0xff).contains(&version) && more.first().is_none_or(|byte| *byte == b'-');
        let is_given = trace_id != [0; 16] && span_id != [0; 8];
        (is_given && (is_known || is_later)).then_some(Self { trace_id, span_id, flags })
    }

    /// The trace.
    #[must_use]
    pub fn trace_id(&self) -> [u8; 16] {
        self.trace_id
    }

    /// The sender's span in it: `parent-id` in the header.
    #[must_use]
    pub fn span_id(&self) -> [u8; 8] {
        self.span_id
    }

    /// The flags. The lowest bit: the sender says that it records the trace.
    #[must_use]
    pub fn flags(&self) -> u8 {
        self.flags
    }
}

/// So many bytes in digits of lower case, and nothing else.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_lower = !digits.iter().any(u8::is_ascii_uppercase);
    (is_lower && digits.len() == 2 * N && faster_hex::hex_decode(digits, &mut bytes).is_ok()).then_some(bytes)
}

/// As version 00 of the header writes it.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace_id, span_id, flags } = self;
        write!(f, "00-{}-{}-{flags:02x}", Hex(trace_id), Hex(span_id))
    }
}

/// Digits of lower case.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_read_is_what_was_sent() {
        let parent = TraceParent::parse(GOOD).unwrap();
        assert_eq!(parent.trace_id()[..2], [0x0a, 0xf7]);
        assert_eq!((parent.span_id()[7], parent.flags()), (0x31, 1));
        assert_eq!(parent.to_string(), GOOD);
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known_and_what_is_malformed_is_none() {
        let with = |at: usize, text: &str| format!("{}{text}{}", &GOOD[..at], &GOOD[at + text.len()..]);
        let (zeros, nothing) = ("0".repeat(32), "0".repeat(16));
        for (value, is_read) in [
            (GOOD.to_owned(), true),
            (with(53, "ff"), true),
            (with(0, "01"), true),
            (with(0, "fe") + "-more", true),
            (with(0, "fe") + "-" + &"x".repeat(200), true),
            (with(0, "fe") + "-" + &"x".repeat(201), false),
            (with(0, "fe") + "more", false),
            (with(0, "ff"), false),
            (with(0, "0g"), false),
            (format!("{GOOD}-more"), false),
            (format!("{GOOD} "), false),
            (format!(" {GOOD}"), false),
            (GOOD[..54].to_owned(), false),
            (with(3, "0A"), false),
            (with(3, "0g"), false),
            (with(3, &zeros), false),
            (with(36, &nothing), false),
            (with(36, "B7"), false),
            (with(53, "0x"), false),
            (with(53, "-1"), false),
            (GOOD.replace('-', "_"), false),
            (with(35, "0"), false),
            (with(10, "-"), false),
            (String::new(), false),
            ("é".repeat(28), false),
        ] {
            assert_eq!(TraceParent::parse(&value).is_some(), is_read, "{value}");
        }
    }

    #[test]
    fn of_several_headers_none_is_taken() {
        let mut headers = HeaderMap::new();
        assert_eq!(TraceParent::of(&headers), None);
        headers.append(TRACEPARENT, GOOD.parse().unwrap());
        assert_eq!(TraceParent::of(&headers), TraceParent::parse(GOOD));
        headers.append(TRACEPARENT, GOOD.parse().unwrap());
        assert_eq!(TraceParent::of(&headers), None);
    }

    proptest! {
        #[test]
        fn whatever_is_read_of_version_00_is_written_as_it_came(
            value in "0[01]-[0-9a-f]{32}-[0-9a-fA]{16}-[0-9a-g]{2}(-x)?", bytes in any::<Vec<u8>>(),
        ) {
            let _ = TraceParent::read(&bytes);
            if let Some(parent) = TraceParent::parse(&value) {
                prop_assert_eq!(&parent.to_string()[2..], &value[2..LENGTH]);
            }
        }
    }
}
