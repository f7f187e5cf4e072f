//! Where deliveries go first: the store that claims their events, or the inbox that keeps them.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tower_webhook::config::{Config, Inbox};
use tower_webhook::inbox::{AnyInbox, InboxError, InboxErrorKind};

use crate::store::OwnStore;

/// How long an owner that is on its way out is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

/// Where deliveries go first. Clones are one store or one inbox.
#[derive(Clone)]
pub(super) enum Intake {
    /// Their events are claimed here, and handled at once.
    Claimed(OwnStore),
    /// Their events are kept here, and handled later.
    Kept(AnyInbox),
}

impl Intake {
    pub(super) async fn open(config: &Config) -> io::Result<Self> {
        match &config.inbox {
            None => OwnStore::open(config).await.map(Self::Claimed),
            Some(inbox) => open(inbox).await.map(Self::Kept).map_err(|error| cannot(inbox, &error)),
        }
    }
}

impl Intake {
    /// The same, for the endpoints of another reading of the file.
    pub(super) async fn renamed(&self, config: &Config) -> io::Result<Self> {
        match self {
            Self::Claimed(store) => store.renamed(config).await.map(Self::Claimed),
            Self::Kept(inbox) => Ok(Self::Kept(inbox.clone())),
        }
    }
}

/// What an operator should know of where an inbox lies.
pub(super) fn of_its_disk(intake: &Intake) -> Option<String> {
    let Intake::Kept(AnyInbox::Sqlite(inbox)) = intake else { return None };
    let disk = inbox.disk()?;
    if disk.is_volatile {
        let words = "warning: the inbox lies in memory (tmpfs or ramfs): what is stored there is gone when the machine goes down";
        return Some(words.to_owned());
    }
    let flush = disk.flush.filter(|_| disk.is_slow())?;
    Some(format!("warning: the inbox's disk takes {} ms to store a record, and each answer as long", flush.as_millis()))
}

async fn open(inbox: &Inbox) -> Result<AnyInbox, InboxError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match inbox.open().await {
            Err(error) if may_pass(&error) && Instant::now() < end => sleep(PAUSE).await,
            opened => return opened,
        }
    }
}

/// Whether it may be an owner who has been killed and is not gone yet. What is wrong with the file does not pass.
fn may_pass(error: &InboxError) -> bool {
    let is_of_the_file = || error.source().is_some_and(|source| source.is::<io::Error>());
    error.kind() == InboxErrorKind::Unavailable && !is_of_the_file()
}

fn cannot(inbox: &Inbox, error: &InboxError) -> io::Error {
    let right = match inbox.file() {
        Some(_) if error.kind() == InboxErrorKind::Unavailable => {
            "; path of [inbox] is to be a file that nobody else has open, in a folder that is there and may be written to"
        }
        Some(_) => "; name another file at path of [inbox]",
        None => "; see whether the server runs, and url of [inbox]",
    };
    io::Error::other(format!("inbox: {inbox}: {error}{right}"))
}
