//! From rates to their medians and ratios.

use std::fmt;

use tower_webhook::error::BoxError;

/// A number, exact.
pub(crate) fn real(number: u64) -> Result<f64, BoxError> {
    Ok(u32::try_from(number)?.into())
}

/// One figure for each round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds(pub(crate) Vec<f64>);

impl Rounds {
    pub(crate) fn median(&self) -> f64 {
        let mut values = self.0.clone();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Round by round.
    pub(crate) fn of(&self, base: &Self) -> Self {
        Self(self.0.iter().zip(&base.0).map(|(value, base)| value / base).collect())
    }
}

/// The median, and between which values the middle half of the rounds lies.
impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut values = self.0.clone();
        values.sort_by(f64::total_cmp);
        let quarter = values.len() / 4;
        match (values.get(quarter), values.iter().nth_back(quarter)) {
            (Some(low), Some(high)) => f.pad(&format!("{:.2} ({low:.2}-{high:.2})", self.median())),
            _ => f.pad("-"),
        }
    }
}
