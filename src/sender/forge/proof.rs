//! Headers that are nearly those that prove.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};

use super::bits::flip;
use super::change::like;
use crate::encoding::Encoding;
use crate::scheme::{Layout, ProofHeader, ProofRole, Scheme, TimePlace};

/// A header of a scheme, as this delivery has it.
#[derive(Clone, Copy)]
pub(super) struct Proof<'a> {
    pub(super) header: &'a ProofHeader,
    pub(super) name: &'a HeaderName,
    pub(super) value: &'a HeaderValue,
}

impl<'a> Proof<'a> {
    /// The header that proves: a signature, a tag or a token. A nonce or a checksum beside it proves nothing by itself.
    pub(super) fn of(delivery: &'a Request<Bytes>, scheme: &'a dyn Scheme) -> Option<Self> {
        let proofs = [ProofRole::Signature, ProofRole::Tag, ProofRole::Token];
        proofs.into_iter().find_map(|role| Self::with_role(delivery, scheme, role))
    }

    /// The first header of this role.
    pub(super) fn with_role(delivery: &'a Request<Bytes>, scheme: &'a dyn Scheme, role: ProofRole) -> Option<Self> {
        let header = scheme.proofs().with_role(role)?;
        header.names().find_map(|name| Some(Self { header, name, value: delivery.headers().get(name)? }))
    }

    /// The value with each proof in it changed, so that none is left that fits: what `change` makes of a proof's label, such as
    /// `v1,` or `v1=`, and its text. `None`: it makes nothing of one, or there is none.
    fn each(&self, change: impl Fn(&str, &str) -> Option<String>) -> Option<HeaderValue> {
        let (text, prefix) = (self.value.to_str().ok()?, &*self.header.prefix);
        let (separator, label) = match &self.header.layout {
            Layout::One => (None, prefix.to_owned()),
            Layout::List(separator) => (Some(separator), prefix.to_owned()),
            Layout::Params { separator, signature } => (Some(separator), format!("{signature}={prefix}")),
        };
        let changed = |item: &str| match item.trim().strip_prefix(&label) {
            Some(proof) => change(&label, proof),
            None => Some(item.to_owned()),
        };
        let changed = match separator {
            None => changed(text)?,
            Some(separator) => text.split(separator.as_str()).map(changed).collect::<Option<Vec<_>>>()?.join(separator),
        };
        if changed == text { None } else { like(self.value, changed.as_bytes()) }
    }

    /// With another text behind each label.
    pub(super) fn text(&self, change: impl Fn(&str) -> Option<String>) -> Option<HeaderValue> {
        self.each(|label, text| Some(format!("{label}{}", change(text)?)))
    }

    /// With other bytes, written as these were. `None`: it is text, and no bytes.
    pub(super) fn bytes(&self, change: impl Fn(&mut Vec<u8>)) -> Option<HeaderValue> {
        let encoding = self.header.encoding?;
        self.text(|text| {
            let mut bytes = encoding.decode(text.as_bytes()).ok()?;
            change(&mut bytes);
            Some(encoding.encode(&bytes))
        })
    }

    /// With one bit flipped.
    pub(super) fn bit(&self) -> Option<HeaderValue> {
        self.text(|text| {
            let mut bytes = text.as_bytes().to_vec();
            flip(&mut bytes);
            String::from_utf8(bytes).ok()
        })
    }

    /// With another last bit: of the bytes, where it carries some.
    pub(super) fn tail(&self) -> Option<HeaderValue> {
        match self.header.encoding {
            Some(_) => self.bytes(|bytes| flip_last(bytes)),
            None => self.text(|text| {
                let mut bytes = text.as_bytes().to_vec();
                flip_last(&mut bytes);
                String::from_utf8(bytes).ok()
            }),
        }
    }

    /// With its first half.
    pub(super) fn half(&self) -> Option<HeaderValue> {
        self.text(|text| text.get(..text.len() / 2).map(str::to_owned))
    }

    /// With nothing behind the label. `None`: there is no label, so that nothing would be left.
    pub(super) fn bare(&self) -> Option<HeaderValue> {
        self.text(|_| Some(String::new())).filter(|value| !value.is_empty())
    }

    /// With the same bytes in the other encoding.
    pub(super) fn otherwise(&self) -> Option<HeaderValue> {
        let encoding = self.header.encoding?;
        let other = match encoding {
            Encoding::Hex => Encoding::Base64,
            Encoding::Base64 => Encoding::Hex,
        };
        self.text(|text| Some(other.encode(&encoding.decode(text.as_bytes()).ok()?)))
    }

    /// With version 0 in its label. `None`: its label has no version.
    pub(super) fn downgraded(&self) -> Option<HeaderValue> {
        self.each(|label, text| {
            let rest = label.strip_prefix('v')?.trim_start_matches(|letter: char| letter.is_ascii_digit());
            let downgraded = format!("v0{rest}");
            (downgraded.len() <= label.len() && downgraded != label).then(|| format!("{downgraded}{text}"))
        })
    }

    /// A wrong proof and this one, in one line. `None` where several may stand in it, of which one that fits is enough.
    pub(super) fn folded(&self) -> Option<HeaderValue> {
        if self.header.layout != Layout::One {
            return None;
        }
        like(self.value, &[self.tail()?.as_bytes(), b", ", self.value.as_bytes()].concat())
    }
}

/// The signed time, another by one, and the header in which it stands.
pub(super) fn other_time<'a>(
    delivery: &'a Request<Bytes>,
    scheme: &'a dyn Scheme,
) -> Option<(&'a HeaderName, HeaderValue)> {
    if let Some(time) = Proof::with_role(delivery, scheme, ProofRole::Time) {
        return Some((time.name, time.tail()?));
    }
    let TimePlace::Param(name) = scheme.tolerance()?.place() else { return None };
    let proof = Proof::of(delivery, scheme)?;
    let start = format!("{name}=");
    let Layout::Params { separator, .. } = &proof.header.layout else { return None };
    let changed = proof.value.to_str().ok()?.split(separator.as_str()).map(|item| {
        let mut item = item.as_bytes().to_vec();
        if item.trim_ascii_start().starts_with(start.as_bytes()) {
            flip_last(&mut item);
        }
        item
    });
    let changed = changed.collect::<Vec<_>>().join(separator.as_bytes());
    Some((proof.name, like(proof.value, &changed)?))
}

fn flip_last(bytes: &mut [u8]) {
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
}
