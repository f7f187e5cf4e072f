//! A Mambu template, of a body or of an address, rendered as Mambu renders it: `{NAME}` is replaced by its value, and by nothing
//! without one (<https://docs.mambu.com/docs/notifications-placeholders/>), so that a number without quotes leaves JSON that is
//! none.
//!
//! ```
//! use tower_webhook::sender::template::{Escape, Values, render};
//!
//! let values = Values::from([("ACCOUNT_ID".into(), "A-\"1\"".into())]);
//! let body = render(r#"{"account":"{ACCOUNT_ID}","score":{CF:CLIENT:Score:1}}"#, &values, Escape::Json);
//! assert_eq!(body, r#"{"account":"A-\"1\"","score":}"#);
//! ```

use std::collections::BTreeMap;

use http::Uri;
use http::uri::InvalidUri;

/// The values of placeholders, by name.
pub type Values = BTreeMap<String, String>;

/// How a value is written into the body. The documents do not say how Mambu does it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Escape {
    /// As a JSON string's content.
    Json,
    /// As text of XML.
    Xml,
    /// As a part of an address: all but letters, digits and `-._~` in per cent (RFC 3986, 2.1).
    Url,
    /// As it is.
    Plain,
}

impl Escape {
    /// As the body's type asks for.
    #[must_use]
    pub fn of(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            kind if kind.ends_with("json") => Self::Json,
            kind if kind.ends_with("xml") => Self::Xml,
            _ => Self::Plain,
        }
    }

    fn write(self, value: &str) -> String {
        match self {
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
            }
            Self::Xml => value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
            Self::Url => value.bytes().map(in_per_cent).collect(),
            Self::Plain => value.to_owned(),
        }
    }
}

/// The template with its placeholders filled in.
#[must_use]
pub fn render(template: &str, values: &Values, escape: Escape) -> String {
    let mut body = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        body.push_str(before);
        rest = match after.split_once('}').filter(|(name, _)| is_placeholder(name)) {
            Some((name, behind)) => {
                body.push_str(&escape.write(values.get(name).map(String::as_str).unwrap_or_default()));
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

/// The address with its placeholders filled in, in path and query.
///
/// # Errors
///
/// When what comes of it is no address.
pub fn url(template: &str, values: &Values) -> Result<Uri, InvalidUri> {
    render(template, values, Escape::Url).parse()
}

fn in_per_cent(byte: u8) -> String {
    match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

/// `ACCOUNT_ID`, or `CF:CLIENT:Score:1` for a custom field. The braces of JSON hold quotes and colons elsewhere.
fn is_placeholder(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':' | ' ' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_escaped_for_their_type_and_empty_without_a_value() {
        let values = Values::from([("NAME".into(), "\"Zoë\" & <co>\n".into())]);
        for (content_type, body) in [
            ("application/json; charset=utf-8", r#"{"a":"\"Zoë\" & <co>\n","b":{"c":""}}"#),
            (
                "application/xml",
                r#"{"a":"&quot;Zoë&quot; &amp; &lt;co&gt;
","b":{"c":""}}"#,
            ),
            ("text/plain", "{\"a\":\"\"Zoë\" & <co>\n\",\"b\":{\"c\":\"\"}}"),
        ] {
            let template = r#"{"a":"{NAME}","b":{"c":"{CF:CLIENT:Score:1}"}}"#;
            assert_eq!(render(template, &values, Escape::of(content_type)), body, "{content_type}");
        }
    }

    #[test]
    fn an_address_holds_a_value_as_one_part_of_it_and_nothing_without_one() {
        let values = Values::from([("ACCOUNT_ID".into(), "Zoë/1?a=b&c #%~".into())]);
        let address =
            url("https://bank.example/{ACCOUNT_ID}/x?id={ACCOUNT_ID}&cf={CF:CLIENT:Score:1}", &values).unwrap();
        let part = "Zo%C3%AB%2F1%3Fa%3Db%26c%20%23%25~";
        assert_eq!(address.path(), format!("/{part}/x"));
        assert_eq!(address.query(), Some(format!("id={part}&cf=").as_str()));
        assert_eq!(address.host(), Some("bank.example"));
        assert!(url("https://bank example/{ACCOUNT_ID}", &values).is_err());
    }
}
