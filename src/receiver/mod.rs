//! The paved path: a builder that fixes the order of the layers once.
