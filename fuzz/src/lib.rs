//! What the fuzz targets share: receivers of every provider, and inputs that can be written by hand.

pub mod case;
pub mod stand;
