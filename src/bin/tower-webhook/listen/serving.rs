//! What serves: what one reading of the file brought, which the next takes the place of.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use tower_webhook::config::{Config, Endpoint, Faults};
use tower_webhook::inbox::{Handed, InboxHandler, Verdict};

use super::ground::Ground;
use super::numbers;
use super::opening::Intake;
use super::routes::Routes;
use super::work::Hands;

/// What one reading of the file brought.
pub(super) struct Now {
    pub(super) config: Config,
    pub(super) routes: Routes,
    hands: Hands,
}

pub(super) struct Serving {
    pub(super) ground: Ground,
    now: RwLock<Arc<Now>>,
}

impl Serving {
    pub(super) fn new(config: Config, ground: Ground) -> io::Result<Self> {
        let now = Now::new(config, &ground.intake, &ground)?;
        Ok(Self { ground, now: RwLock::new(Arc::new(now)) })
    }

    /// What serves now. Whoever has begun with it ends with it.
    pub(super) fn now(&self) -> Arc<Now> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether every event is handled by a line on stdout before it is answered, and nobody will ever read one.
    pub(super) fn handles_nothing(&self) -> bool {
        let is_printed = |endpoint: &Endpoint| endpoint.forward.is_none();
        matches!(self.ground.intake, Intake::Claimed(_))
            && self.ground.voice.is_gone()
            && self.now().config.endpoints.iter().all(is_printed)
    }

    /// Serves by this from now on, in one step; or by what was before.
    pub(super) async fn replace(&self, config: Config) -> Result<(), Unfit> {
        config.check_reload_of(&self.now().config).map_err(Unfit::Faults)?;
        let intake = self.ground.intake.renamed(&config).await.map_err(Unfit::Store)?;
        let next = Now::new(config, &intake, &self.ground).map_err(Unfit::Store)?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }
}

/// Why a file does not take the place of another.
pub(super) enum Unfit {
    Faults(Faults),
    Store(io::Error),
}

impl Now {
    /// How many there are whose events are handed over.
    pub(super) fn receivers(&self) -> usize {
        self.hands.receivers()
    }

    fn new(mut config: Config, intake: &Intake, ground: &Ground) -> io::Result<Self> {
        config.unprotected = ground.unprotected.clone();
        let routes = Routes::new(&config, intake, ground).map_err(io::Error::other)?;
        if let Some(metrics) = &ground.metrics {
            numbers::know(metrics, &config);
        }
        let hands = Hands::of(&config, &ground.voice);
        Ok(Self { config, routes, hands })
    }
}

/// Hands stored events to what serves when each is due.
pub(super) struct Handing(pub(super) Arc<Serving>);

impl InboxHandler for Handing {
    async fn handle(&self, handed: Handed) -> Verdict {
        self.0.now().hands.handle(handed).await
    }
}
