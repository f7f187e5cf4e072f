//! The tables and functions, version by version.

use std::time::Duration;

use deadpool_postgres::Client;
use tokio_postgres::GenericClient;

use super::super::{InboxError, InboxErrorKind};
use super::call::in_time;
use super::fault::of;
use super::row::column;

/// What leads from each version to the next. Only ever longer. What a program calls keeps its number for as long as
/// programs that call it may run, so that several versions may run side by side.
const STEPS: &[&str] = &[
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
];

/// Of `whin`: one migrates at a time.
const LOCK: i64 = 0x7768_696e;

/// However much is there: an index of a large table takes its time, and whoever comes at the same time waits for it.
const PATIENCE: Duration = Duration::from_secs(600);

/// As this statement sees it. `to_regclass` may still answer from before the lock.
const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                        WHERE n.nspname = $1 AND c.relname = 'version')";

/// A statement that names its tables `inbox.`, for this schema.
pub(super) fn named(text: &str, schema: &str) -> String {
    text.replace("inbox.", &format!("\"{schema}\"."))
}

fn known() -> i32 {
    i32::try_from(STEPS.len()).unwrap_or(i32::MAX)
}

/// Brings the schema up to date, however many begin at once.
///
/// # Errors
///
/// It is of a version that this does not know, or this user may not make it.
pub(super) async fn migrate(client: &mut Client, schema: &str, deadline: Duration) -> Result<(), InboxError> {
    if in_time(deadline, version(&***client, schema)).await?? >= known() {
        return Ok(());
    }
    in_time(PATIENCE.saturating_add(deadline), upgrade(client, schema, deadline)).await?
}

/// Who uses a table meanwhile is waited for until the deadline, since everybody else waits behind that.
async fn upgrade(client: &mut Client, schema: &str, deadline: Duration) -> Result<(), InboxError> {
    let transaction = client.transaction().await.map_err(|error| of(&error))?;
    let patient = format!("SET LOCAL statement_timeout = {}", PATIENCE.as_millis());
    transaction.batch_execute(&patient).await.map_err(|error| of(&error))?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map_err(|error| of(&error))?;
    let hasty = format!("SET LOCAL lock_timeout = {}", deadline.as_millis().clamp(1, 1 << 30));
    transaction.batch_execute(&hasty).await.map_err(|error| of(&error))?;
    // Somebody else may have been quicker.
    let version = version(&*transaction, schema).await?;
    let done = usize::try_from(version).unwrap_or(0);
    if done == 0 {
        let text = format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"");
        transaction.batch_execute(&text).await.map_err(|error| of(&error))?;
    }
    for step in STEPS.iter().skip(done) {
        transaction.batch_execute(&named(step, schema)).await.map_err(|error| of(&error))?;
    }
    transaction.commit().await.map_err(|error| of(&error))
}

/// The version that is there; 0 for none. One that is newer will do when it says so.
async fn version(client: &impl GenericClient, schema: &str) -> Result<i32, InboxError> {
    let row = client.query_one(IS_THERE, &[&schema]).await.map_err(|error| of(&error))?;
    if !column::<bool>(&row, 0)? {
        return Ok(0);
    }
    let text = named("SELECT version, needs FROM inbox.version", schema);
    let row = client.query_one(&text, &[]).await.map_err(|error| of(&error))?;
    let (version, needs) = (column(&row, 0)?, column::<i32>(&row, 1)?);
    if needs > known() {
        let why = format!("its version is {version}, which needs {needs}, and this program knows {} at most", known());
        return Err(InboxError::new(InboxErrorKind::Unusable).caused_by(why));
    }
    Ok(version)
}
