//! The application's tests: its handlers alone, the whole app on a Redis, and its end.

mod app;
mod handlers;
mod harness;
mod redis;
mod stop;
