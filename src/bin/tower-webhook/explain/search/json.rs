//! JSON as other programs would have written it: what was signed before a parser read it and wrote it anew.
//!
//! Numbers keep their digits and names their order, unless the order is what is tried.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::change::Change;
use crate::explain::report::Why;

/// The most levels that are sorted.
const MAX_LEVELS: usize = 64;
/// The longest text that is written anew, in bytes: each level of an indented text costs the more, the deeper it lies.
const MAX_WRITTEN: usize = 2 * 1024 * 1024;

#[derive(Clone, Copy)]
struct Style {
    name: &'static str,
    comma: &'static str,
    colon: &'static str,
    /// Spaces a level; `None` on one line.
    indent: Option<usize>,
}

const STYLES: [Style; 4] = [
    Style { name: "compact", comma: ",", colon: ":", indent: None },
    Style { name: "with a space behind each comma and colon, as Python does", comma: ", ", colon: ": ", indent: None },
    Style { name: "indented by two spaces", comma: ",", colon: ": ", indent: Some(2) },
    Style { name: "indented by four spaces", comma: ",", colon: ": ", indent: Some(4) },
];

#[derive(Clone, Copy)]
enum Letters {
    AsTheyAre,
    /// Beyond ASCII as `\u….`, as Python and PHP do.
    Escaped,
    Plain,
    /// `\/`, as PHP does.
    Slashes,
}

const LETTERS: [(Letters, &str); 4] = [
    (Letters::AsTheyAre, ""),
    (Letters::Escaped, "with letters beyond ASCII escaped, "),
    (Letters::Plain, "with no letter escaped that need not be, "),
    (Letters::Slashes, "with letters beyond ASCII and slashes escaped as PHP does, "),
];

/// The styles, and whether all of them are here: one that grows too long is left out.
pub(super) fn rewritten(body: &Bytes) -> (Vec<Change>, bool) {
    let Some(text) = std::str::from_utf8(body).ok().filter(|text| serde_json::from_str::<&RawValue>(text).is_ok())
    else {
        return (Vec::new(), true);
    };
    let fix = "verify and sign the bytes as they were sent: never what a parser has written anew";
    let sorted = sorted(text, 0).filter(|sorted| compact(text).as_ref() != Some(sorted));
    let (mut all, mut is_whole) = (Vec::new(), true);
    for (text, order) in [(Some(text.to_owned()), ""), (sorted, "with its names in alphabetical order, ")] {
        let Some(text) = text else { continue };
        for style in STYLES {
            for (letters, how) in LETTERS {
                let cause =
                    format!("the JSON was written anew after it was signed; it was signed {order}{how}{}", style.name);
                let Some(written) = write(&text, style, letters) else {
                    // Its other letters would be no shorter.
                    is_whole = false;
                    break;
                };
                all.push(Change::body(Why::new(cause, fix), written));
            }
        }
    }
    (all, is_whole)
}

fn compact(text: &str) -> Option<String> {
    write(text, STYLES[0], Letters::AsTheyAre)
}

/// The same JSON in another style, token by token. `None`: it would be too long.
fn write(text: &str, style: Style, letters: Letters) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut level: usize = 0;
    let mut rest = text;
    let line = |out: &mut String, level: usize| {
        if let Some(indent) = style.indent {
            out.push('\n');
            out.push_str(&" ".repeat(indent * level));
        }
    };
    while let Some(letter) = rest.chars().next() {
        let (token, after) = rest.split_at_checked(token_length(rest, letter)).unwrap_or((rest, ""));
        rest = after;
        if out.len() > MAX_WRITTEN {
            return None;
        }
        match letter {
            '{' | '[' => {
                out.push(letter);
                level += 1;
                if !rest.trim_ascii_start().starts_with([']', '}']) {
                    line(&mut out, level);
                }
            }
            '}' | ']' => {
                level = level.saturating_sub(1);
                if !out.ends_with(['{', '[']) {
                    line(&mut out, level);
                }
                out.push(letter);
            }
            ',' => {
                out.push_str(style.comma);
                line(&mut out, level);
            }
            ':' => out.push_str(style.colon),
            '"' => out.push_str(&string(token, letters)),
            ' ' | '\t' | '\r' | '\n' => {}
            _ => out.push_str(token),
        }
    }
    Some(out)
}

/// A string is one token; everything else goes letter by letter.
fn token_length(rest: &str, letter: char) -> usize {
    if letter != '"' {
        return letter.len_utf8();
    }
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, letter)| {
        let ends = *letter == '"' && !escaped;
        escaped = *letter == '\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |(at, _)| at + 1)
}

fn string(token: &str, letters: Letters) -> String {
    let read = || serde_json::from_str::<String>(token).ok().and_then(|text| serde_json::to_string(&text).ok());
    match letters {
        Letters::AsTheyAre => token.to_owned(),
        Letters::Plain => read().unwrap_or_else(|| token.to_owned()),
        Letters::Escaped => ascii(&read().unwrap_or_else(|| token.to_owned())),
        Letters::Slashes => ascii(&read().unwrap_or_else(|| token.to_owned())).replace('/', "\\/"),
    }
}

fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// The names of every object in alphabetical order, on one line.
fn sorted(text: &str, level: usize) -> Option<String> {
    let text = text.trim_ascii();
    if level > MAX_LEVELS {
        return None;
    }
    if text.starts_with('{') {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        let member = |(name, value): (&String, &&RawValue)| {
            Some(format!("{}:{}", serde_json::to_string(name).ok()?, sorted(value.get(), level + 1)?))
        };
        let members: Option<Vec<String>> = members.iter().map(member).collect();
        return Some(format!("{{{}}}", members?.join(",")));
    }
    if text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        let items: Option<Vec<String>> = items.iter().map(|item| sorted(item.get(), level + 1)).collect();
        return Some(format!("[{}]", items?.join(",")));
    }
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = "{ \"b\":1.00,\"a\" : [\"x: \\\" ,\\/é\", {},[ ]],\"c\":{\"z\":null,\"y\":-1e3}}";

    #[test]
    fn json_is_written_in_every_style_and_keeps_its_digits() {
        let styles: Vec<String> = STYLES.iter().map(|style| write(SENT, *style, Letters::AsTheyAre).unwrap()).collect();
        assert_eq!(styles[0], "{\"b\":1.00,\"a\":[\"x: \\\" ,\\/é\",{},[]],\"c\":{\"z\":null,\"y\":-1e3}}");
        assert_eq!(styles[1], "{\"b\": 1.00, \"a\": [\"x: \\\" ,\\/é\", {}, []], \"c\": {\"z\": null, \"y\": -1e3}}");
        assert!(
            styles[2].starts_with("{\n  \"b\": 1.00,\n  \"a\": [\n    \"x: \\\" ,\\/é\",\n    {},\n    []\n  ],\n")
        );
        let value: serde_json::Value = serde_json::from_str("{\"b\":{\"a\":[1,{}]},\"a\":[]}").unwrap();
        let pretty = write("{\"a\":[],\"b\":{\"a\":[1,{}]}}", STYLES[2], Letters::AsTheyAre).unwrap();
        assert_eq!(pretty, serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn letters_are_escaped_and_names_sorted() {
        assert!(write(SENT, STYLES[0], Letters::Plain).unwrap().contains("\"x: \\\" ,/é\""));
        assert!(write(SENT, STYLES[0], Letters::Escaped).unwrap().contains("\"x: \\\" ,/\\u00e9\""));
        assert!(write(SENT, STYLES[0], Letters::Slashes).unwrap().contains("\"x: \\\" ,\\/\\u00e9\""));
        let names = sorted(SENT, 0).unwrap();
        assert_eq!(names, "{\"a\":[\"x: \\\" ,\\/é\",{},[]],\"b\":1.00,\"c\":{\"y\":-1e3,\"z\":null}}");
        assert_eq!(ascii("\u{1f3e6}"), "\\ud83c\\udfe6");
    }

    #[test]
    fn what_is_no_json_has_no_other_style() {
        for body in ["", "x", "{", "{\"a\":1}}"] {
            let (styles, is_whole) = rewritten(&Bytes::from(body));
            assert_eq!((styles.len(), is_whole), (0, true), "{body}");
        }
    }

    #[test]
    fn nesting_and_white_space_cost_no_more_than_a_bound() {
        let nest = |levels: usize| Bytes::from(format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
        let (shallow, is_whole) = rewritten(&nest(100));
        assert_eq!((shallow.len(), is_whole), (STYLES.len() * LETTERS.len(), true));
        let (deep, is_whole) = rewritten(&nest(100_000));
        // What is not indented is no longer than what was sent.
        assert_eq!((deep.len(), is_whole), (2 * LETTERS.len(), false));
        let longest = deep.iter().filter_map(|change| change.body.as_ref()).map(Bytes::len).max();
        assert_eq!(longest, Some(200_000));
        let wide = Bytes::from(format!("[{}]", " ".repeat(1_000_000)));
        assert!(rewritten(&wide).1);
    }
}
