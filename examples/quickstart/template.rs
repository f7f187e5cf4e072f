//! A Mambu template, rendered as Mambu renders it: `{NAME}` is replaced by its value, and by nothing without one.

use serde_json::{Map, Value};

/// How a value is written into the body. The documents do not say how Mambu does it.
#[derive(Clone, Copy)]
pub(crate) enum Escape {
    Json,
    Xml,
    Plain,
}

impl Escape {
    fn write(self, value: &str) -> String {
        match self {
            Self::Json => {
                let quoted = Value::from(value).to_string();
                quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
            }
            Self::Xml => value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
            Self::Plain => value.to_owned(),
        }
    }
}

pub(crate) fn render(template: &str, values: &Map<String, Value>, escape: Escape) -> String {
    let mut body = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        body.push_str(before);
        rest = match after.split_once('}').filter(|(name, _)| is_placeholder(name)) {
            Some((name, behind)) => {
                let value = values.get(name).and_then(Value::as_str).unwrap_or_default();
                body.push_str(&escape.write(value));
                behind
            }
            None => {
                body.push('{');
                after
            }
        };
    }
    body + rest
}

/// `ACCOUNT_ID`, or `CF:CLIENT:Score:1` for a custom field. The braces of JSON itself hold quotes and colons elsewhere.
fn is_placeholder(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':' | ' '))
}
