//! JSON written anew: another order of members, other white space, other escapes, the same meaning.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::value::RawValue;

/// A document. Numbers, truth values and null are kept as their text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Doc {
    Bare(String),
    Text(String),
    List(Vec<Doc>),
    Object(BTreeMap<String, Doc>),
}

impl Doc {
    pub(crate) fn read(json: &str) -> Self {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        match raw.get().as_bytes()[0] {
            b'"' => Self::Text(serde_json::from_str(raw.get()).unwrap()),
            b'[' => {
                let list: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap();
                Self::List(list.iter().map(|item| Self::read(item.get())).collect())
            }
            b'{' => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).unwrap();
                Self::Object(members.into_iter().map(|(name, raw)| (name, Self::read(raw.get()))).collect())
            }
            _ => Self::Bare(raw.get().to_owned()),
        }
    }

    /// Written in the style of this seed. Zero is plain: no white space, members in order, as few escapes as can be.
    pub(crate) fn write(&self, seed: u64) -> String {
        let mut out = String::new();
        Writer { out: &mut out, state: seed }.value(self);
        out
    }

    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let bare = prop::sample::select(vec![
            "1",
            "1.0",
            "-0",
            "0",
            "1e3",
            "1E3",
            "true",
            "false",
            "null",
            "12345678901234567890.10",
        ]);
        let text = || {
            prop_oneof![
                Just(String::new()),
                "[a-c1/\"\\\\\u{8}\n\u{e9}\u{1f600}]{1,5}",
                Just("1".to_owned()),
                Just("null".to_owned())
            ]
        };
        let leaf = prop_oneof![bare.prop_map(|text| Self::Bare(text.to_owned())), text().prop_map(Self::Text)];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Self::List),
                prop::collection::btree_map(text(), inner, 0..5).prop_map(Self::Object),
            ]
        })
    }
}

struct Writer<'a> {
    out: &'a mut String,
    state: u64,
}

impl Writer<'_> {
    /// Below `most`; always zero in the plain style.
    fn choose(&mut self, most: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % most as u64).unwrap()
    }

    fn space(&mut self) {
        for _ in 0..self.choose(3) {
            let space = [' ', '\n', '\t', '\r'][self.choose(4)];
            self.out.push(space);
        }
    }

    fn value(&mut self, doc: &Doc) {
        self.space();
        match doc {
            Doc::Bare(text) => self.out.push_str(text),
            Doc::Text(text) => self.text(text),
            Doc::List(items) => {
                self.out.push('[');
                for (at, item) in items.iter().enumerate() {
                    self.out.push_str(if at > 0 { "," } else { "" });
                    self.value(item);
                }
                self.space();
                self.out.push(']');
            }
            Doc::Object(members) => self.object(members),
        }
        self.space();
    }

    fn object(&mut self, members: &BTreeMap<String, Doc>) {
        let mut rest: Vec<_> = members.iter().collect();
        self.out.push('{');
        while !rest.is_empty() {
            let (name, value) = rest.remove(self.choose(rest.len()));
            self.space();
            self.text(name);
            self.space();
            self.out.push(':');
            self.value(value);
            self.out.push_str(if rest.is_empty() { "" } else { "," });
        }
        self.space();
        self.out.push('}');
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for letter in text.chars() {
            let short = match letter {
                '"' | '\\' | '/' => Some(letter),
                '\n' => Some('n'),
                '\u{8}' => Some('b'),
                _ => None,
            };
            let must = letter.is_control() || matches!(letter, '"' | '\\');
            match (self.choose(3), short) {
                (0, _) if !must => self.out.push(letter),
                (0 | 1, Some(short)) => self.out.extend(['\\', short]),
                _ => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        let lower = self.choose(2) == 0;
                        let digits = if lower { format!("{unit:04x}") } else { format!("{unit:04X}") };
                        self.out.push_str(&format!("\\u{digits}"));
                    }
                }
            }
        }
        self.out.push('"');
    }
}
