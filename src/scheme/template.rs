//! What a signature covers, written as a template: `{header:webhook-id}.{header:webhook-timestamp}.{body}`.

use std::ops::Deref;

use http::{HeaderMap, HeaderName};

use super::header::exact;
use crate::error::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};

/// The bytes that are signed, part by part. Nothing is ever joined: each part goes into the MAC as it came.
///
/// | part | is |
/// |---|---|
/// | `{body}` | the exact bytes of the body, whatever they are |
/// | `{header:NAME}` | the exact value of a header that stands once |
/// | `{param:NAME}` | the value of `NAME=…` in a signature header such as `t=…,v1=…` |
/// | `{url}` | the address that the sender was given, see [`Signed::url`](super::Signed::url) |
/// | `{{` and `}}` | one brace |
/// | anything else | itself |
///
/// # Security
///
/// Put a text between two parts that neither can hold. Of `{header:a}{body}` a peer who has seen one delivery can move
/// bytes from the one to the other, and the signature still fits. What a template does not name is not signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Part {
    Text(String),
    Header(HeaderName),
    Param(String),
    Url,
    Body,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Template`] for an unknown part, a brace that stands alone, or when nothing of the delivery would
    /// be signed; [`ConfigErrorKind::HeaderName`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((letter, after)) = pop(rest) {
            rest = after;
            if matches!(letter, '{' | '}') && rest.starts_with(letter) {
                rest = rest.get(1..).unwrap_or_default();
                literal.push(letter);
            } else if letter == '{' {
                let (name, after) = rest.split_once('}').ok_or_else(|| wrong(text, "a brace is not closed"))?;
                rest = after;
                push_text(&mut parts, &mut literal);
                parts.push(Part::parse(name)?);
            } else if letter == '}' {
                return Err(wrong(text, "a brace closes nothing; one brace is written as two"));
            } else {
                literal.push(letter);
            }
        }
        push_text(&mut parts, &mut literal);
        if parts.iter().all(|part| matches!(part, Part::Text(_) | Part::Url)) {
            return Err(wrong(text, "nothing of the delivery is signed"));
        }
        Ok(Self(parts))
    }

    /// The body and nothing else, as most senders sign.
    #[must_use]
    pub fn body() -> Self {
        Self(vec![Part::Body])
    }

    /// Whether the body is signed. If not, everybody who has seen one delivery can send another body under its
    /// signature.
    #[must_use]
    pub fn covers_body(&self) -> bool {
        self.0.contains(&Part::Body)
    }

    /// Whether this header is signed.
    #[must_use]
    pub fn covers_header(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Header(signed) if signed == name))
    }

    /// Whether this parameter of the signature header is signed.
    #[must_use]
    pub fn covers_param(&self, name: &str) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Param(signed) if signed == name))
    }

    /// Whether the address that the sender was given is signed.
    #[must_use]
    pub fn covers_url(&self) -> bool {
        self.0.contains(&Part::Url)
    }

    /// The headers that are signed, each once.
    pub fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.0.iter().enumerate().filter_map(|(at, part)| match part {
            Part::Header(name) if self.0.iter().position(|other| other == part) == Some(at) => Some(name),
            _ => None,
        })
    }

    /// The parameters of the signature header that are signed.
    pub fn params(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Param(name) => Some(name.as_str()),
            _ => None,
        })
    }

    pub(super) fn has_params(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Param(_)))
    }

    /// A part that by its name is the time of sending.
    pub(super) fn timed(&self) -> Option<String> {
        let is_time = |name: &&str| name.contains("timestamp") || name.ends_with("-time");
        let header = self.headers().map(HeaderName::as_str).find(is_time);
        header.or_else(|| self.timed_param()).map(str::to_owned)
    }

    /// The same among parameters alone.
    pub(crate) fn timed_param(&self) -> Option<&str> {
        self.params().find(|name| matches!(*name, "t" | "ts" | "time" | "timestamp"))
    }

    /// The same with the URL in its place.
    pub(super) fn with_url(mut self, url: Option<&str>) -> Result<Self, ConfigError> {
        for part in &mut self.0 {
            if *part == Part::Url {
                let url = url.filter(|url| !url.is_empty()).ok_or_else(|| {
                    ConfigError::new(ConfigErrorKind::Template("{url} is signed but no URL is set".into()))
                })?;
                *part = Part::Text(url.to_owned());
            }
        }
        Ok(self)
    }

    /// The bytes of each part. With `split_strictly` a value that holds the text behind it is refused.
    pub(super) fn bytes<'a>(
        &'a self,
        headers: &'a HeaderMap,
        body: &'a [u8],
        param: impl Fn(&str) -> Result<&'a [u8], Rejection>,
        split_strictly: bool,
    ) -> Result<Parts<'a>, Rejection> {
        if let [Part::Body] = &*self.0 {
            return Ok(Parts::One([body]));
        }
        let mut all = Vec::with_capacity(self.0.len());
        let mut parts = self.0.iter().peekable();
        while let Some(part) = parts.next() {
            let bytes = match part {
                Part::Text(text) => text.as_bytes(),
                Part::Header(name) => exact(headers, name)?,
                Part::Param(name) => param(name)?,
                Part::Body => body,
                // Replaced when the scheme was built.
                Part::Url => &[],
            };
            if let (true, Part::Header(_) | Part::Param(_), Some(Part::Text(text))) =
                (split_strictly, part, parts.peek())
                && bytes.windows(text.len()).any(|window| window == text.as_bytes())
            {
                let detail = "a signed value holds the text that ends it";
                return Err(Rejection::new(RejectionKind::HeaderMalformed, detail));
            }
            all.push(bytes);
        }
        Ok(Parts::Several(all))
    }
}

/// What is signed, part by part. A body alone, the common case, takes no heap.
pub(super) enum Parts<'a> {
    One([&'a [u8]; 1]),
    Several(Vec<&'a [u8]>),
}

impl<'a> Deref for Parts<'a> {
    type Target = [&'a [u8]];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::One(part) => part,
            Self::Several(parts) => parts,
        }
    }
}

impl Part {
    fn parse(name: &str) -> Result<Self, ConfigError> {
        match name.split_once(':') {
            None if name == "body" => Ok(Self::Body),
            None if name == "url" => Ok(Self::Url),
            Some(("header", name)) => name
                .parse()
                .map(Self::Header)
                .map_err(|_| ConfigError::new(ConfigErrorKind::HeaderName(name.to_owned()))),
            Some(("param", name)) if is_token(name) => Ok(Self::Param(name.to_owned())),
            _ => Err(ConfigError::new(ConfigErrorKind::Template(format!(
                "{{{name}}} is none of {{body}}, {{url}}, {{header:NAME}} and {{param:NAME}}"
            )))),
        }
    }
}

/// What the name of a parameter can be: nothing that a separator could be mistaken for.
pub(super) fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn pop(text: &str) -> Option<(char, &str)> {
    let mut letters = text.chars();
    letters.next().map(|letter| (letter, letters.as_str()))
}

fn push_text(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Text(std::mem::take(literal)));
    }
}

fn wrong(text: &str, why: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Template(format!("{text:?}: {why}")))
}
