//! Who waits is woken: by this process at once, and by others through the database.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{AsyncMessage, Client, Config};

use super::super::{InboxError, InboxErrorKind};
use super::skew::Skew;
use super::tls::Tls;
use crate::clock::{Entropy as _, OsEntropy};

/// Others are told so often at most.
const PAUSE: Duration = Duration::from_millis(50);
/// How long until a connection that was lost is made again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often the clocks are compared. Where nothing was measured, again like a connection that was lost.
const COMPARE: Duration = Duration::from_secs(30);

pub(super) struct Bell {
    woken: Notify,
    /// Something happened that others are to hear of.
    rung: Notify,
    channel: String,
    /// By which we know our own word.
    who: String,
}

impl Bell {
    pub(super) fn new(schema: &str) -> Result<Self, InboxError> {
        let mut who = [0; 8];
        OsEntropy.fill(&mut who).map_err(|error| InboxError::new(InboxErrorKind::Unavailable).caused_by(error))?;
        Ok(Self {
            woken: Notify::new(),
            rung: Notify::new(),
            channel: format!("tower_webhook_{schema}"),
            who: u64::from_ne_bytes(who).to_string(),
        })
    }

    /// Something is due that was not.
    pub(super) fn ring(&self) {
        self.wake();
        self.rung.notify_one();
    }

    /// All who wait now, and the next who would.
    fn wake(&self) {
        self.woken.notify_waiters();
        self.woken.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }
}

/// Tells others, outside of any transaction that matters. What is not told they find by looking.
pub(super) async fn tell(pool: Pool, bell: Arc<Bell>, deadline: Duration) {
    loop {
        bell.rung.notified().await;
        let word = async {
            let client = pool.get().await.ok()?;
            client.execute("SELECT pg_notify($1, $2)", &[&bell.channel, &bell.who]).await.ok()
        };
        let _ = timeout(deadline, word).await;
        sleep(PAUSE).await;
    }
}

/// Hears others, on a connection of its own that is made again when it is lost.
pub(super) async fn listen((config, tls): (Config, Tls), bell: Arc<Bell>, skew: Arc<Skew>, deadline: Duration) {
    loop {
        hear(&config, tls.clone(), &bell, &skew, deadline).await;
        sleep(AGAIN).await;
        // What was said meanwhile was not heard.
        bell.wake();
    }
}

/// Until the connection is lost, or cannot be made.
async fn hear(config: &Config, tls: Tls, bell: &Bell, skew: &Skew, deadline: Duration) -> Option<()> {
    let (client, mut connection) = timeout(deadline, config.connect(tls)).await.ok()?.ok()?;
    let (words, mut heard) = mpsc::channel(64);
    let driver = tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(word) = message {
                // Who does not keep up is woken by the words that wait.
                let _ = words.try_send(word.payload().to_owned());
            }
        }
    });
    let driver = Driven(driver);
    let (mut compared, mut rest) = (Instant::now(), compare(&client, skew, deadline).await?);
    let word = format!("LISTEN \"{}\"", bell.channel);
    timeout(deadline, client.batch_execute(&word)).await.ok()?.ok()?;
    loop {
        match timeout(rest.saturating_sub(compared.elapsed()), heard.recv()).await {
            Ok(Some(who)) if who != bell.who => bell.wake(),
            Ok(Some(_)) | Err(_) => {}
            Ok(None) => break,
        }
        if compared.elapsed() >= rest {
            (compared, rest) = (Instant::now(), compare(&client, skew, deadline).await?);
        }
    }
    drop(driver);
    Some(())
}

/// How long until the next time.
async fn compare(client: &Client, skew: &Skew, deadline: Duration) -> Option<Duration> {
    let is_known = timeout(deadline, skew.measure(client)).await.ok()?.ok()?;
    Some(if is_known { COMPARE } else { AGAIN })
}

/// A task that ends with whoever needs it.
struct Driven(tokio::task::JoinHandle<()>);

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abort();
    }
}
