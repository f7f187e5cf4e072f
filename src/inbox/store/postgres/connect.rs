//! Connections: what each must be like before it is used.

use std::error::Error as _;
use std::str::FromStr as _;
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::Config;

use super::super::{InboxError, InboxErrorKind};
use super::fault::REFUSED;
use super::setup::PostgresSetup;
use super::tls::{self, Tls};

/// Whether these settings can be used at all.
pub(super) fn check(setup: &PostgresSetup) -> Result<(), InboxError> {
    let is_fit = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if !(1..=40).contains(&setup.schema.len()) || !setup.schema.chars().all(is_fit) {
        return Err(InboxError::new(InboxErrorKind::Unusable)
            .caused_by("a schema's name is 1 to 40 letters from a to z, digits and underscores"));
    }
    tls::check(setup)
}

/// Which option cannot be read, where it is one whose name is the client library's own.
fn unread(error: &tokio_postgres::Error) -> String {
    let why = error.source().map(ToString::to_string).filter(|why| why.starts_with("invalid value for option"));
    why.map_or("the address is no postgres:// URL".to_owned(), |why| format!("the address has an {why}"))
}

/// What a URL means. A URL that is none is not quoted: a password may be in it.
pub(super) fn config(url: &str, setup: &PostgresSetup) -> Result<Config, InboxError> {
    let mut config =
        Config::from_str(url).map_err(|error| InboxError::new(InboxErrorKind::Unusable).caused_by(unread(&error)))?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(InboxError::new(InboxErrorKind::Unusable).caused_by("the address names no server"));
    }
    if config.get_application_name().is_none() {
        config.application_name("tower-webhook");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(setup.deadline);
    }
    config.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(Duration::from_secs(30));
    Ok(config)
}

pub(super) fn pool(config: &Config, tls: Tls, setup: &PostgresSetup) -> Result<Pool, InboxError> {
    let fast = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config.clone(), tls, fast);
    let deadline = setup.deadline;
    let ready = Hook::async_fn(move |client: &mut ClientWrapper, _| Box::pin(make_ready(client, deadline)));
    let pool = Pool::builder(manager)
        .max_size(setup.pool)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(deadline))
        .create_timeout(Some(deadline))
        .recycle_timeout(Some(deadline))
        .post_create(ready)
        .build();
    pool.map_err(|error| InboxError::new(InboxErrorKind::Unusable).caused_by(error.to_string()))
}

/// How long the server goes on with a statement that is given up by us at this time, in milliseconds.
pub(super) fn patience(deadline: Duration) -> u128 {
    deadline.as_millis().saturating_add(1000).min(1 << 30)
}

/// A server that stops answering is given up by us at the deadline, and it gives up itself a little later. Whoever has
/// waited for a lane must then see what was committed meanwhile, whatever the database's default is.
async fn make_ready(client: &ClientWrapper, deadline: Duration) -> Result<(), HookError> {
    let limit = patience(deadline);
    client
        .batch_execute(&format!(
            "SET statement_timeout = {limit}; SET jit = off; SET default_transaction_isolation = 'read committed'"
        ))
        .await
        .map_err(HookError::Backend)?;
    let settings = "SELECT name, setting FROM pg_settings \
                    WHERE name IN ('synchronous_commit', 'fsync', 'transaction_read_only')";
    for row in client.query(settings, &[]).await.map_err(HookError::Backend)? {
        let text = |place: usize| row.try_get::<_, String>(place).map_err(HookError::Backend);
        match (text(0)?.as_str(), text(1)?.as_str()) {
            (name @ ("synchronous_commit" | "fsync"), "off") => {
                return Err(HookError::message(format!("{REFUSED}{name} is off: commits are not durable")));
            }
            ("transaction_read_only", "on") => return Err(HookError::message("the server is read-only")),
            _ => {}
        }
    }
    Ok(())
}
