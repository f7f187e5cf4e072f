//! What the fuzz targets share: receivers of every provider, inputs that can be written by hand, and what each target claims.

pub mod case;
pub mod config;
pub mod decode;
pub mod encoding;
pub mod envelope;
pub mod head;
pub mod inbox;
pub mod key;
pub mod money;
pub mod signed;
pub mod stand;
pub mod standard;
