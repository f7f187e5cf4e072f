//! Which headers a scheme reads and writes, and what each is for: a description, no cryptography.

use std::borrow::Cow;

use http::HeaderName;

use super::layout::Layout;
use crate::encoding::Encoding;

/// The headers of a scheme, each with its role, in the order in which they are sealed.
///
/// It is a description for logs, redaction and tools. What a delivery is worth is said by
/// [`Scheme::open`](super::Scheme::open) alone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Proofs {
    headers: Vec<ProofHeader>,
    carriers: Vec<HeaderName>,
}

impl Proofs {
    pub(super) const NONE: Self = Self { headers: Vec::new(), carriers: Vec::new() };

    /// These headers.
    #[must_use]
    pub fn new(headers: impl IntoIterator<Item = ProofHeader>) -> Self {
        let headers: Vec<_> = headers.into_iter().collect();
        let carriers = headers.iter().filter(|header| header.role.carries_proof());
        let carriers = carriers.flat_map(ProofHeader::names).cloned().collect();
        Self { headers, carriers }
    }

    /// All of them: those that carry the proof, and those that are signed beside the body.
    #[must_use]
    pub fn headers(&self) -> &[ProofHeader] {
        &self.headers
    }

    /// The names, aliases too, of those that [carry the proof](ProofRole::carries_proof).
    #[must_use]
    pub fn carriers(&self) -> &[HeaderName] {
        &self.carriers
    }

    /// The first header with this role.
    #[must_use]
    pub fn with_role(&self, role: ProofRole) -> Option<&ProofHeader> {
        self.headers.iter().find(|header| header.role == role)
    }
}

/// A header that a scheme reads and writes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProofHeader {
    /// The name under which it is sealed.
    pub name: HeaderName,
    /// Other names under which it is taken.
    pub aliases: Vec<HeaderName>,
    /// What it is for.
    pub role: ProofRole,
    /// How its bytes are written. `None`: the value is text, as it stands.
    pub encoding: Option<Encoding>,
    /// How many bytes it carries, where the number is fixed.
    pub length: Option<usize>,
    /// What stands in front of the encoded bytes, such as `sha256=`.
    pub prefix: Cow<'static, str>,
    /// Whether it holds one value or several.
    pub layout: Layout,
}

impl ProofHeader {
    /// A header of this name and role, with one value that is text.
    #[must_use]
    pub fn new(name: HeaderName, role: ProofRole) -> Self {
        let (aliases, prefix) = (Vec::new(), Cow::Borrowed(""));
        Self { name, aliases, role, encoding: None, length: None, prefix, layout: Layout::One }
    }

    /// With another name under which it is taken. Default: none.
    #[must_use]
    pub fn alias(mut self, name: HeaderName) -> Self {
        self.aliases.push(name);
        self
    }

    /// With bytes in this encoding. Default: text.
    #[must_use]
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = Some(encoding);
        self
    }

    /// With this number of bytes. Default: any.
    #[must_use]
    pub fn length(mut self, bytes: usize) -> Self {
        self.length = Some(bytes);
        self
    }

    /// With this text in front of the encoded bytes. Default: nothing.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// With several values in this layout. Default: one.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// The name and its aliases.
    pub fn names(&self) -> impl Iterator<Item = &HeaderName> {
        std::iter::once(&self.name).chain(&self.aliases)
    }
}

/// What a header is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProofRole {
    /// A signature or a MAC.
    Signature,
    /// The tag of an AEAD.
    Tag,
    /// The IV or nonce of an AEAD.
    Nonce,
    /// A digest over the plaintext.
    Checksum,
    /// A shared secret, as it is.
    Token,
    /// The signed time of sending: see [`Scheme::tolerance`](super::Scheme::tolerance).
    Time,
    /// Another header that is signed, such as the delivery's id.
    Signed,
}

impl ProofRole {
    /// Whether the header is part of the proof. If not, it is the sender's word, which the proof covers.
    #[must_use]
    pub fn carries_proof(self) -> bool {
        !matches!(self, Self::Time | Self::Signed)
    }
}
