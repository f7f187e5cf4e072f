//! What the program of the schema's first version asked, word for word, and a client that asks it.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::server::Server;
use super::{at, event};

/// The schema as that program made it.
pub(super) const SCHEMA: &str = include_str!("../../../src/inbox/store/postgres/schema_1.sql");

const ACCEPT: &str = "SELECT what, number, is_new FROM \
    inbox.accept_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
const LEASE: &str = "
WITH next AS MATERIALIZED (
    SELECT id, state, due FROM inbox.turns WHERE due <= $1 ORDER BY due LIMIT $2 FOR UPDATE SKIP LOCKED
), held AS (
    UPDATE inbox.turns AS t
    SET state = 1, due = $3, token = $4, fence = nextval('inbox.fences'), attempts = t.attempts + 1
    WHERE t.id = ANY (ARRAY(SELECT id FROM next))
    RETURNING t.id, t.lane, t.fence, t.attempts
), told AS (
    INSERT INTO inbox.steps (event, at, what, why)
    SELECT id, $5, 'lease ended', 'its holder was not heard of again' FROM next WHERE state = 1
)
SELECT held.id, held.fence, held.attempts, b.payload, e.key, e.fingerprint, e.until, e.occurred, e.readable, e.receiver,
    e.tenant, e.provider, e.event, e.lane, e.key_id, e.headers,
    EXISTS (SELECT 1 FROM inbox.turns AS d WHERE d.lane = held.lane AND d.state = 3 AND d.id < held.id),
    held.id = ANY (ARRAY(SELECT id FROM next WHERE state = 1))
FROM held
JOIN inbox.events AS e ON e.id = held.id AND e.id = ANY (ARRAY(SELECT id FROM next))
LEFT JOIN inbox.bodies AS b ON b.id = held.id AND b.id = ANY (ARRAY(SELECT id FROM next))
ORDER BY array_position(ARRAY(SELECT id FROM next ORDER BY due, id), held.id)";
const END: &str = "SELECT inbox.end_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const EXTEND: &str = "UPDATE inbox.turns SET due = $4 \
                      WHERE id = $1 AND token = $2 AND fence = $3 AND state = 1 RETURNING id";

/// The others, which need be understood only.
const OTHERS: [&str; 15] = [
    "SELECT version, needs FROM inbox.version",
    "SELECT 1 FROM inbox.turns WHERE id = $1 AND token = $2 AND fence = $3 AND state = 1",
    "SELECT min(due) FROM inbox.turns WHERE due IS NOT NULL",
    "SELECT id FROM inbox.turns WHERE lane = $1 AND (due IS NOT NULL OR blocks)",
    "SELECT payload FROM inbox.bodies WHERE id = $1",
    "SELECT at, what, why FROM inbox.steps WHERE event = $1 ORDER BY id",
    "SELECT e.id, e.readable, e.receiver, e.provider, e.event, e.lane, t.state, t.attempts, t.fence, e.received, t.due, \
     t.reason, t.replayed_by, t.ended FROM inbox.events AS e JOIN inbox.turns AS t ON t.id = e.id \
     WHERE t.state = 0 AND t.id IN (SELECT id FROM inbox.turns WHERE due IS NOT NULL UNION ALL \
     SELECT id FROM inbox.turns WHERE lane IS NOT NULL AND state = 0 AND due IS NULL) ORDER BY e.id LIMIT $1",
    "SELECT count(*) FROM inbox.events AS e JOIN inbox.turns AS t ON t.id = e.id \
     WHERE t.state IN (2, 3, 4) AND EXISTS (SELECT 1 FROM inbox.bodies AS b WHERE b.id = e.id)",
    "SELECT inbox.again_1($1, $2, $3, $4)",
    "SELECT dropped, last FROM inbox.drop_bodies_1($1, $2, $3)",
    "SELECT bodies, keys FROM inbox.drop_keys_1($1, $2)",
    "SELECT inbox.erase_1($1, $2, $3)",
    "SELECT (SELECT count(*) FROM (SELECT 1 FROM inbox.turns WHERE due IS NOT NULL AND state = 1 LIMIT $1) AS part), \
     (SELECT count(*) FROM (SELECT 1 FROM inbox.turns WHERE state = 5 AND state >= 3 LIMIT $1) AS part)",
    "SELECT greatest(reltuples, 0)::bigint FROM pg_class \
     WHERE oid IN ('inbox.turns_due'::regclass, 'inbox.turns_waiting'::regclass, 'inbox.turns_done'::regclass)",
    "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class \
     WHERE oid IN ('inbox.events'::regclass, 'inbox.bodies'::regclass, 'inbox.turns'::regclass, 'inbox.steps'::regclass)",
];

/// An event that it holds.
pub(super) struct Held {
    pub(super) id: i64,
    pub(super) fence: i64,
    pub(super) token: Vec<u8>,
    pub(super) outcome_unknown: bool,
}

pub(super) struct Program {
    pub(super) client: Client,
    schema: String,
}

impl Program {
    pub(super) async fn on(server: &Server, schema: &str) -> Self {
        Self { client: server.client().await, schema: schema.to_owned() }
    }

    fn named(&self, text: &str) -> String {
        text.replace("inbox.", &format!("\"{}\".", self.schema))
    }

    async fn ask(&self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Vec<Row> {
        self.client.query(&self.named(text), values).await.unwrap_or_else(|error| panic!("{error:?}: {text}"))
    }

    /// Makes the schema.
    pub(super) async fn migrate(&self) {
        let text = format!("BEGIN; CREATE SCHEMA \"{}\"; {}; COMMIT", self.schema, self.named(SCHEMA));
        self.client.batch_execute(&text).await.unwrap();
    }

    /// Whether it takes the schema for one that it can use, and all that it asks is understood there.
    pub(super) async fn understands(&self) -> (i32, i32) {
        for text in OTHERS {
            let named = self.named(text);
            self.client.prepare(&named).await.unwrap_or_else(|error| panic!("{error:?}: {text}"));
        }
        let row = self.ask(OTHERS[0], &[]).await.remove(0);
        (row.get(0), row.get(1))
    }

    pub(super) async fn accept(&self, number: u64, second: i64) {
        let (event, now, none) = (event(number, None), at(second).as_microsecond(), vec![None::<String>]);
        let (keys, fingerprints) = (vec![event.key.as_bytes().to_vec()], vec![event.fingerprint.as_bytes().to_vec()]);
        let (untils, names) = (vec![event.key_until.as_microsecond()], vec![String::new()]);
        let (readable, payloads) = (vec![event.readable_key], vec![event.payload.to_vec()]);
        let numbers = vec![None::<i64>];
        let values: [&(dyn ToSql + Sync); 17] = [
            &keys,
            &fingerprints,
            &untils,
            &numbers,
            &readable,
            &names,
            &none,
            &names,
            &names,
            &none,
            &numbers,
            &none,
            &none,
            &payloads,
            &now,
            &now,
            &false,
        ];
        let row = self.ask(ACCEPT, &values).await.remove(0);
        assert_eq!(row.get::<_, i32>(0), 0, "it is stored");
    }

    /// Each for 30 seconds.
    pub(super) async fn lease(&self, token: u8, most: i64, second: i64) -> Vec<Held> {
        let (token, now, until) = (vec![token; 16], at(second).as_microsecond(), at(second + 30).as_microsecond());
        let rows = self.ask(LEASE, &[&now, &most, &until, &token, &now]).await;
        let held =
            |row: &Row| Held { id: row.get(0), fence: row.get(1), token: token.clone(), outcome_unknown: row.get(17) };
        rows.iter().map(held).collect()
    }

    pub(super) async fn extend(&self, held: &Held, second: i64) -> bool {
        let until = at(second + 30).as_microsecond();
        !self.ask(EXTEND, &[&held.id, &held.token, &held.fence, &until]).await.is_empty()
    }

    pub(super) async fn complete(&self, held: &Held, second: i64) -> bool {
        let (now, none) = (at(second).as_microsecond(), None::<String>);
        let values: [&(dyn ToSql + Sync); 11] =
            [&held.id, &held.token, &held.fence, &2_i16, &None::<i64>, &none, &0_i32, &false, &none, &now, &now];
        self.ask(END, &values).await[0].get(0)
    }
}
