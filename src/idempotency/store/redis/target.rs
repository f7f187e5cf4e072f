//! Where the server is: one address, a master that Sentinel knows, or a cluster.

use std::time::Duration;

use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::SentinelClient;
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How many calls may wait to be written to one connection. More wait for a place: the client library's own 50 are fewer than a
/// busy receiver has under way at once.
const MAX_IN_LINE: usize = 512;

pub(super) enum Target {
    Single(Box<Client>),
    /// Asked again for its master at each connection.
    Sentinel(Box<Mutex<SentinelClient>>),
    Cluster(Box<ClusterClient>),
}

/// A connection. Its clones share it.
#[derive(Clone)]
pub(super) enum Line {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Target {
    /// A new connection, ready for commands within the time. One host that says nothing takes a part of it.
    pub(super) async fn connect(&self, time: Duration) -> RedisResult<Line> {
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(time))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(MAX_IN_LINE);
        let connecting = async {
            match self {
                Self::Single(client) => {
                    client.get_multiplexed_async_connection_with_config(&settings).await.map(Line::One)
                }
                Self::Sentinel(sentinel) => {
                    sentinel.lock().await.get_async_connection_with_config(&settings).await.map(Line::One)
                }
                Self::Cluster(cluster) => cluster.get_async_connection().await.map(Line::Cluster),
            }
        };
        timeout(time, connecting).await.unwrap_or_else(|_| Err(too_late()))
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    pub(super) fn is_single(&self) -> bool {
        matches!(self, Self::Single(_))
    }
}

impl Line {
    pub(super) async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }

    /// Sends so many commands at once. A reply may be an error of the server's.
    pub(super) async fn send_all<const N: usize>(&mut self, commands: &Pipeline) -> RedisResult<[Value; N]> {
        let replies = match self {
            Self::One(connection) => connection.req_packed_commands(commands, 0, N).await?,
            Self::Cluster(connection) => connection.req_packed_commands(commands, 0, N).await?,
        };
        replies.try_into().map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidData).into())
    }
}

pub(super) fn too_late() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}
