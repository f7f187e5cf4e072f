//! One call: one statement, with a deadline.

use std::future::Future;
use std::time::Duration;

use deadpool_postgres::{Client, Object, Pool};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::super::InboxError;
use super::fault::{is_passing, late, of, of_pool};

/// Values of a statement, of any type.
pub(super) type Values = Vec<Box<dyn ToSql + Send + Sync>>;

/// Values, each in a box of its own.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($value) as Box<dyn tokio_postgres::types::ToSql + Send + Sync>),*]
    };
}
pub(super) use values;

/// So often a statement is tried that lost against another.
const TRIES: u32 = 5;

/// Runs the statement, once or until nobody else is in its way.
pub(super) async fn call(pool: Pool, text: String, values: Values, deadline: Duration) -> Result<Vec<Row>, InboxError> {
    let end = deadline_in(deadline);
    for attempt in 1.. {
        let client = timeout_at(end, pool.get()).await.map_err(|_| late())?.map_err(|error| of_pool(&error))?;
        let Ok(answer) = timeout_at(end, ask(&client, &text, &values)).await else {
            // What comes now comes too late, and nobody else is to wait for it.
            drop(Object::take(client));
            return Err(late());
        };
        match answer {
            Ok(rows) => return Ok(rows),
            Err(error) if attempt < TRIES && is_passing(&error) => sleep(Duration::from_millis(5) * attempt).await,
            Err(error) => return Err(of(&error)),
        }
    }
    Err(late())
}

/// The same for what is no single statement.
pub(super) async fn in_time<T>(deadline: Duration, work: impl Future<Output = T>) -> Result<T, InboxError> {
    timeout_at(deadline_in(deadline), work).await.map_err(|_| late())
}

fn deadline_in(deadline: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(deadline).unwrap_or(now)
}

async fn ask(client: &Client, text: &str, values: &Values) -> Result<Vec<Row>, Error> {
    let statement = client.prepare_cached(text).await?;
    let values = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect::<Vec<_>>();
    client.query(&statement, &values).await
}
