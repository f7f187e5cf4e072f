//! Where a receiver's inbox is: it outlives the receiver, and the test looks into it.

use std::env;
use std::ffi::OsString;
use std::time::{Duration, Instant};

use tower_webhook::clock::{Clock as _, SystemClock};
use tower_webhook::inbox::{AnyInbox, InboxStore as _, SqliteInbox, Stats};

use super::super::Place as File;

/// Which engine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    File,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// An inbox of one test.
pub(super) enum Place {
    File(File),
    #[cfg(feature = "postgres")]
    Postgres {
        url: String,
        schema: String,
    },
}

impl Kind {
    pub(super) async fn place(self) -> Place {
        match self {
            Self::File => Place::File(File::new()),
            #[cfg(feature = "postgres")]
            Self::Postgres => {
                let url = crate::postgres::server::Server::shared().await.url();
                Place::Postgres { url, schema: crate::postgres::schema() }
            }
        }
    }
}

impl Place {
    /// What tells a child where it is.
    pub(super) fn variables(&self) -> Vec<(&'static str, OsString)> {
        match self {
            Self::File(file) => vec![("INBOX", file.0.clone().into())],
            #[cfg(feature = "postgres")]
            Self::Postgres { url, schema } => vec![("INBOX", url.into()), ("SCHEMA", schema.into())],
        }
    }

    /// The inbox that the child was told of, and how long it holds a lease. In a file nobody waits for the end of one.
    pub(super) async fn told() -> (AnyInbox, Duration) {
        let inbox = env::var_os("INBOX").unwrap();
        match env::var("SCHEMA") {
            Err(_) => (AnyInbox::Sqlite(SqliteInbox::open(inbox).await.unwrap()), Duration::from_secs(30)),
            #[cfg(feature = "postgres")]
            Ok(schema) => (in_postgres(inbox.to_str().unwrap(), &schema).await, Duration::from_secs(3)),
            #[cfg(not(feature = "postgres"))]
            Ok(_) => panic!("there is no such engine"),
        }
    }

    /// The inbox beside the child that has it.
    pub(super) async fn visit(&self) -> AnyInbox {
        match self {
            Self::File(file) => AnyInbox::Sqlite(SqliteInbox::visit(&file.0).await.unwrap()),
            #[cfg(feature = "postgres")]
            Self::Postgres { url, schema } => in_postgres(url, schema).await,
        }
    }

    /// What is in it when nothing is left to be handled.
    pub(super) async fn settled(&self) -> Stats {
        let inbox = self.visit().await;
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let stats = inbox.stats(SystemClock.now().unwrap()).await.unwrap();
            if stats.ready + stats.running == 0 || Instant::now() > end {
                return stats;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[cfg(feature = "postgres")]
async fn in_postgres(url: &str, schema: &str) -> AnyInbox {
    let setup = tower_webhook::inbox::PostgresInbox::setup().schema(schema).pool(3);
    AnyInbox::Postgres(setup.connect(url).await.unwrap())
}

/// Tests of these names, each for every engine.
macro_rules! for_each_engine {
    ($($name:ident),* $(,)?) => {
        mod in_a_file {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Kind::File).await;
            })*
        }

        #[cfg(feature = "postgres")]
        mod in_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Kind::Postgres).await;
            })*
        }
    };
}
pub(super) use for_each_engine;
