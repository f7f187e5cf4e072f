//! `/metrics`: the numbers of [`Metrics`], as text for Prometheus.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::config::{Config, Endpoint};
use tower_webhook::inbox::{AnyInbox, InboxStore as _, ReceiverStats};
use tower_webhook::observe::{InboxLevels, Known, Metrics};
use tower_webhook::provider::Provider as _;

use super::exposition::Exposition;
use super::opening::Intake;

/// So often the inbox is counted, whoever reads it and however often.
const FRESH: Duration = Duration::from_secs(5);
/// Of so many that wait, and of so many dead letters, it is said whose they are: of all it would take as long as there are many.
const LOOKED_AT: usize = 1000;
/// What takes longer is left as it was.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Numbers {
    pub(super) metrics: Metrics,
    exposition: Exposition,
    /// The inbox's log, where it has one here.
    log: Option<PathBuf>,
    counted: Mutex<Option<Instant>>,
}

impl Numbers {
    pub(super) fn new(config: &Config) -> Self {
        let exposition = Exposition::default();
        let log = config.inbox.as_ref().and_then(|inbox| inbox.file()).map(|file| {
            let mut log = file.as_os_str().to_owned();
            log.push("-wal");
            log.into()
        });
        Self { metrics: Metrics::on(exposition.clone()), exposition, log, counted: Mutex::default() }
    }

    /// As they are now.
    pub(super) async fn text(&self, intake: &Intake) -> String {
        if let Intake::Kept(inbox) = intake {
            self.count(inbox).await;
        }
        self.metrics.refresh();
        self.exposition.text()
    }

    async fn count(&self, inbox: &AnyInbox) {
        let mut counted = self.counted.lock().await;
        if counted.is_some_and(|at| at.elapsed() < FRESH) {
            return;
        }
        *counted = Some(Instant::now());
        let Some(now) = SystemClock.now() else { return };
        let Ok(Ok(stats)) = timeout(PATIENCE, Box::pin(inbox.stats(now))).await else { return };
        let shares = timeout(PATIENCE, Box::pin(inbox.stats_by_receiver(LOOKED_AT, now))).await;
        let shares = shares.ok().and_then(Result::ok).unwrap_or_default();
        let levels = InboxLevels::new(stats.ready, stats.oldest_age, stats.dead);
        let log = self.log.as_ref().map(|log| std::fs::metadata(log).map_or(0, |log| log.len()));
        let levels = log.map_or(levels, |bytes| levels.wal_bytes(bytes));
        let of = |one: &ReceiverStats| InboxLevels::new(one.ready, one.oldest_age, one.dead);
        self.metrics.inbox_of(levels, shares.iter().map(|one| (one.receiver.as_str(), of(one))));
    }
}

/// Tells what the file and the providers' ladders say.
pub(super) fn know(metrics: &Metrics, config: &Config) {
    for endpoint in &config.endpoints {
        metrics.know(&endpoint.name, endpoint.provider.profile().name, known(endpoint));
    }
}

fn known(endpoint: &Endpoint) -> Known {
    let known = match endpoint.spec.keys.first() {
        Some(key) => Known::default().current_key(&key.id),
        None => Known::default(),
    };
    match endpoint.provider.profile().switched_off_after {
        Some(time) => known.switched_off_after(time),
        None => known,
    }
}
