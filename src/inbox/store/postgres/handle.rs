//! What all who ask share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use deadpool_postgres::{Object, Pool, Timeouts};
use tokio::task::JoinHandle;
use tokio_postgres::Row;

use super::super::{Accepted, InboxError, NewEvent};
use super::accept::Accepting;
use super::asking::Asking;
use super::bell::{self, Bell};
use super::call::{Values, in_time};
use super::fault::{of, of_pool};
use super::group::Group;
use super::schema::migrate;
use super::setup::PostgresSetup;
use super::skew::Skew;
use super::{connect, tally, tls};

pub(super) struct Handle {
    accepting: Accepting,
    /// For handlers' transactions, which may be long: nobody who stores or renews waits behind them.
    effects: Pool,
    group: Group,
    tasks: Vec<JoinHandle<()>>,
}

impl Handle {
    pub(super) async fn start(setup: PostgresSetup, url: &str) -> Result<Self, InboxError> {
        connect::check(&setup)?;
        let mut config = connect::config(url, &setup)?;
        let tls = tls::tls(&mut config, &setup)?;
        let pool = connect::pool(&config, tls.clone(), &setup)?;
        let effects = connect::pool(&config, tls.clone(), &setup)?;
        let skew = Arc::new(Skew::new(Arc::clone(&setup.clock)));
        let mut client = in_time(setup.deadline, pool.get()).await?.map_err(|error| of_pool(&error))?;
        migrate(&mut client, &setup.schema, setup.deadline).await?;
        in_time(setup.deadline, skew.measure(&**client)).await?.map_err(|error| of(&error))?;
        drop(client);
        let bell = Arc::new(Bell::new(&setup.schema)?);
        let is_full = Arc::new(AtomicBool::new(false));
        let asking = Asking { pool: pool.clone(), schema: setup.schema.clone(), deadline: setup.deadline };
        let mut tasks = vec![
            tokio::spawn(bell::listen((config, tls), Arc::clone(&bell), Arc::clone(&skew), setup.deadline)),
            tokio::spawn(bell::tell(pool.clone(), Arc::clone(&bell), setup.deadline)),
            tokio::spawn(tally::watch(asking.clone(), setup.quota, Arc::clone(&is_full))),
        ];
        let accepting = Accepting { asking, bell, skew, is_full };
        let (group, serving) = Group::start(&accepting);
        tasks.extend(serving);
        Ok(Self { accepting, effects, group, tasks })
    }

    pub(super) fn bell(&self) -> &Bell {
        &self.accepting.bell
    }

    pub(super) fn skew(&self) -> &Skew {
        &self.accepting.skew
    }

    pub(super) fn schema(&self) -> &str {
        &self.accepting.asking.schema
    }

    pub(super) fn deadline(&self) -> Duration {
        self.accepting.asking.deadline
    }

    pub(super) async fn ask(&self, text: &str, values: Values) -> Result<Vec<Row>, InboxError> {
        self.accepting.asking.ask(text, values).await
    }

    pub(super) async fn ask_one(&self, text: &str, values: Values) -> Result<Row, InboxError> {
        let mut rows = self.ask(text, values).await?;
        rows.pop().ok_or_else(|| super::row::damaged("no answer to a question that has one"))
    }

    pub(super) async fn accept(&self, events: Vec<NewEvent>, now: i64) -> Result<Vec<Accepted>, InboxError> {
        self.group.accept(events, now).await
    }

    /// One of the connections for handlers' transactions. Where all are taken, it may take so long until one is given back.
    pub(super) async fn connection(&self, wait: Duration) -> Result<Object, InboxError> {
        let call = Some(self.deadline());
        let times = Timeouts { wait: call.max(Some(wait)), create: call, recycle: call };
        self.effects.timeout_get(&times).await.map_err(|error| of_pool(&error))
    }

    pub(super) fn is_full(&self) -> bool {
        self.accepting.is_full()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        // Calls in hand keep their connections until they end.
        self.accepting.asking.pool.close();
        self.effects.close();
    }
}
