//! Wrong arguments, or a wrong configuration.

/// Lines for people.
pub(super) struct Wrong(pub(super) Vec<String>);

impl From<String> for Wrong {
    fn from(line: String) -> Self {
        Self(vec![line])
    }
}
