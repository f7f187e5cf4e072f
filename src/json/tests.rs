//! The reader against `serde_json`: what it takes, `serde_json` takes, with equal values; and what has a twin anywhere is
//! refused.

mod documents;
mod strictness;
mod sums;
mod typed;

use serde::Deserialize;
use serde_json::Value;

use super::strict::parse;

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    parse(text.as_bytes()).map_err(|no| no.detail().to_owned())
}

fn strict(text: &str) -> Result<Value, String> {
    read(text)
}
