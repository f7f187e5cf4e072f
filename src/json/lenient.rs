//! Lenient reading, for members that nobody but us has promised: one that cannot be read as its type is absent.
//!
//! First everything is read as it should be. Only when that fails, a second look leaves out what cannot be read, unless it
//! is on the list of those that must be.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::absent::{Absent, Leniency};
use super::fault::malformed;
use super::reader::Reader;
use super::strict::{parse_checked, read_checked};
use crate::error::Rejection;

/// Reads a typed value from a piece of text that a strict reader has been over. A member that cannot be read as its type is
/// taken as null, and its name noted, unless its name is one of `strict` or null is no value of its type either.
pub(crate) fn parse_leniently<'a, T: Deserialize<'a>>(
    text: &'a str,
    strict: &'static [&'static str],
    absent: &mut Absent,
) -> Result<T, Rejection> {
    match read_checked(text) {
        Ok(value) => Ok(value),
        Err(fault) if fault.is_data() => second_look(text, strict, absent),
        Err(fault) => Err(fault.rejection(text)),
    }
}

/// The same for what has been read in vain.
pub(crate) fn second_look<'a, T: Deserialize<'a>>(
    text: &'a str,
    strict: &'static [&'static str],
    absent: &mut Absent,
) -> Result<T, Rejection> {
    // The text may end too soon or too late behind what could not be read.
    parse_checked::<IgnoredAny>(text)?;
    let mut reader = Reader::of_checked(text);
    reader.leniency = Some(Box::new(Leniency { strict, absent: std::mem::take(absent), failed: None }));
    let read = T::deserialize(&mut reader).map_err(|fault| fault.or_at(reader.text.at()));
    let leniency = *reader.leniency.unwrap_or_default();
    *absent = leniency.absent;
    read.map_err(|fault| match leniency.failed {
        Some(name) => malformed(format!("the member `{name}` cannot be read")),
        None => fault.rejection(text),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Outer<'a> {
        id: Option<u8>,
        note: Option<String>,
        inner: Option<Inner>,
        list: Option<Vec<Inner>>,
        #[serde(borrow)]
        raw: Option<&'a RawValue>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Inner {
        id: Option<u8>,
        note: Option<String>,
    }

    #[derive(Debug, Deserialize)]
    struct Must {
        #[serde(rename = "needed")]
        _needed: String,
    }

    fn read(text: &str) -> Result<(Outer<'_>, Vec<String>), String> {
        let mut absent = Absent::default();
        let outer = parse_leniently(text, &["id"], &mut absent).map_err(|no| no.detail().to_owned())?;
        Ok((outer, absent.into_names()))
    }

    #[test]
    fn what_cannot_be_read_is_absent_and_named_once() {
        for (text, id, absent) in [
            (r#"{"id":1,"note":"n"}"#, Some(1), &[][..]),
            (r#"{"note":7,"id":1}"#, Some(1), &["note"]),
            (r#" { "id" : 1 , "note" : { "note" : [ ] } , "new" : 1e999 } "#, Some(1), &["note"]),
            (r#"{"inner":"text","id":1}"#, Some(1), &["inner"]),
            (r#"{"inner":{"note":[]},"note":{},"id":1}"#, Some(1), &["note"]),
            (r#"{"list":[{"note":1},{"note":2},{}],"id":null}"#, None, &["note"]),
            (r#"{"list":[{"id":1},7],"inner":7}"#, None, &["list", "inner"]),
            (r#"{"\u006eote":7,"list":null,"raw":[1.50,{"id":"x"}]}"#, None, &["note"]),
        ] {
            let (outer, names) = read(text).unwrap_or_else(|no| panic!("{text}: {no}"));
            assert_eq!(
                (outer.id, &*names),
                (id, &absent.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..])
            );
            if outer.raw.is_some() {
                assert_eq!(outer.raw.map(RawValue::get), Some(r#"[1.50,{"id":"x"}]"#));
            }
        }
    }

    #[test]
    fn what_must_be_read_is_refused_at_any_depth_and_named() {
        for text in [
            r#"{"id":"canary"}"#,
            r#"{"note":7,"id":[]}"#,
            r#"{"inner":{"id":"canary"}}"#,
            r#"{"inner":{"note":7,"id":300}}"#,
            r#"{"list":[{"id":1},{"id":-1}],"note":7}"#,
        ] {
            assert_eq!(read(text).unwrap_err(), "the member `id` cannot be read", "{text}");
        }
        let must =
            |text| parse_leniently::<Must>(text, &[], &mut Absent::default()).map_err(|no| no.detail().to_owned());
        assert!(must(r#"{"needed":"x"}"#).is_ok());
        assert_eq!(must(r#"{"needed":7}"#).unwrap_err(), "the member `needed` cannot be read");
        assert!(must(r#"{"other":7}"#).unwrap_err().starts_with("missing field `needed` at line 1"));
    }

    #[test]
    fn a_second_look_takes_nothing_that_is_no_json() {
        for text in [r#"{"note":7"#, r#"{"note":7} {}"#, r#"{"note":7,}"#, r#"{"note":7,"inner":{]}"#, ""] {
            assert!(read(text).unwrap_err().starts_with("not JSON at line 1"), "{text}");
        }
        for text in ["7", "null", "\"text\""] {
            assert!(read(text).unwrap_err().starts_with("a member of another type than expected"), "{text}");
        }
    }

    #[test]
    fn names_are_few() {
        let mut absent = Absent::default();
        (0..100).for_each(|at| absent.note(&format!("{at}")));
        assert_eq!(absent.into_names().len(), Absent::MAX);
    }
}
