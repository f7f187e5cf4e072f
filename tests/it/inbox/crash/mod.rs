//! Receivers with an inbox and a worker that die, at named points and anywhere, and what becomes of their events.

mod child;
mod place;
mod points;
mod scene;
mod storm;
mod told;
#[cfg(feature = "postgres")]
mod uncommitted;
mod wrong;
