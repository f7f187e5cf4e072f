//! How JSON is written: the same value in other bytes, as the libraries of real senders write it.

use std::fmt::Write as _;

use super::json::{Json, Node};

/// How the JSON of a message is written. A receiver must prove the bytes as they came, and read the same out of each.
///
/// ```
/// use serde_json::json;
/// use tower_webhook::sender::events::Written;
///
/// assert_eq!(Written::Escaped.write(json!({"name": "Zoë/Co"})), r#"{"\u006eame":"\u005ao\u00eb\/Co"}"#);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Written {
    /// Without any white space. The default.
    #[default]
    Compact,
    /// With white space of all kinds wherever there may be some.
    Spaced,
    /// With `\/` for the slash, as PHP writes it, and `\u` for what is not ASCII, for what HTML takes for itself, as Gson does, and
    /// for the first letter of every name and text, which no library does and every reader has to take.
    Escaped,
    /// The members of each object in the opposite order.
    Reordered,
}

const GAPS: [&str; 4] = [" ", "\n", "\t", "\r\n  "];

impl Written {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Compact, Self::Spaced, Self::Escaped, Self::Reordered];

    /// This value, written so. A `serde_json::Value` has lost the order of its members; a [`Json`] has not.
    #[must_use]
    pub fn write(self, json: impl Into<Json>) -> String {
        let Json(node) = json.into();
        let mut out = String::new();
        self.gap(&mut out);
        self.node(&node, &mut out);
        self.gap(&mut out);
        out
    }

    fn node(self, node: &Node, out: &mut String) {
        match node {
            Node::Plain(text) => out.push_str(text),
            Node::Text(text) => self.text(text, out),
            Node::List(items) => self.between(['[', ']'], items.iter(), out, |item, out| self.node(item, out)),
            Node::Object(members) => {
                let member = |(name, value): &(String, Node), out: &mut String| {
                    self.text(name, out);
                    self.gap(out);
                    out.push(':');
                    self.gap(out);
                    self.node(value, out);
                };
                match self {
                    Self::Reordered => self.between(['{', '}'], members.iter().rev(), out, member),
                    Self::Compact | Self::Spaced | Self::Escaped => {
                        self.between(['{', '}'], members.iter(), out, member);
                    }
                }
            }
        }
    }

    fn between<T>(
        self,
        [open, close]: [char; 2],
        items: impl Iterator<Item = T>,
        out: &mut String,
        mut write: impl FnMut(T, &mut String),
    ) {
        out.push(open);
        for (at, item) in items.enumerate() {
            if at > 0 {
                out.push(',');
            }
            self.gap(out);
            write(item, out);
            self.gap(out);
        }
        out.push(close);
    }

    fn gap(self, out: &mut String) {
        if self == Self::Spaced {
            out.push_str(GAPS.get(out.len() % GAPS.len()).copied().unwrap_or_default());
        }
    }

    fn text(self, text: &str, out: &mut String) {
        out.push('"');
        for (at, letter) in text.chars().enumerate() {
            match letter {
                '"' | '\\' => out.extend(['\\', letter]),
                '/' if self == Self::Escaped => out.push_str("\\/"),
                _ if letter < ' ' || self == Self::Escaped && (at == 0 || is_escaped(letter)) => {
                    letter.encode_utf16(&mut [0; 2]).iter().for_each(|code| unit(*code, out));
                }
                _ => out.push(letter),
            }
        }
        out.push('"');
    }
}

fn is_escaped(letter: char) -> bool {
    !letter.is_ascii() || matches!(letter, '<' | '>' | '&' | '=' | '\'')
}

fn unit(code: u16, out: &mut String) {
    // A `String` has room for all.
    write!(out, "\\u{code:04x}").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const TEXT: &str =
        r#"{"é/":"\"\\\n\u0001 é/ \ud83d\ude00 <b>&'=","a":[],"b":{},"c":[1,-2.50,true,null,{"d":"2500.00"}]}"#;

    #[test]
    fn the_bytes_differ_and_the_value_does_not() {
        let texts: Vec<String> = Written::ALL.iter().map(|how| how.write(TEXT.parse::<Json>().unwrap())).collect();
        for (at, text) in texts.iter().enumerate() {
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), serde_json::from_str::<Value>(TEXT).unwrap());
            assert!(text.contains("-2.50") && text.contains("2500.00"), "{text}");
            assert!(texts.iter().skip(at + 1).all(|other| other != text), "{text}");
        }
    }

    #[test]
    fn each_is_written_as_it_says() {
        let write = |how: Written| how.write(r#"{"a":"é/","b":[1,2]}"#.parse::<Json>().unwrap());
        assert_eq!(write(Written::Compact), r#"{"a":"é/","b":[1,2]}"#);
        assert_eq!(write(Written::Escaped), r#"{"\u0061":"\u00e9\/","\u0062":[1,2]}"#);
        assert_eq!(write(Written::Reordered), r#"{"b":[1,2],"a":"é/"}"#);
        let spaced = write(Written::Spaced);
        assert_eq!(spaced.split_ascii_whitespace().collect::<String>(), write(Written::Compact));
        let long = Written::Spaced.write(TEXT.parse::<Json>().unwrap());
        assert!(GAPS.iter().all(|gap| long.contains(gap)), "{long:?}");
        assert_eq!(Written::Escaped.write("😀"), r#""\ud83d\ude00""#);
    }
}
