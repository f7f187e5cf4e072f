//! Events that are built in, so that there is something to send at once.

/// An event by name. The fixtures of the library's own tests.
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    /// Who sends such an event.
    pub(crate) provider: &'static str,
    pub(crate) content: Content,
}

#[derive(Clone, Copy)]
pub(crate) enum Content {
    Json(&'static str),
    /// A JSON description of a template, and the values of its placeholders.
    Template(&'static str, &'static str),
}

macro_rules! fixture {
    ($($path:literal),*) => {
        include_str!(concat!("../../../../tests/fixtures/", $($path),*))
    };
}

/// An event in the folder of its provider, whose name has `-` for `_`.
macro_rules! json {
    ($provider:literal, $folder:literal, $event:literal) => {
        Fixture {
            name: concat!($provider, "/", $event),
            provider: $provider,
            content: Content::Json(fixture!($folder, "/", $event, ".json")),
        }
    };
    ($provider:literal, $event:literal) => {
        json!($provider, $provider, $event)
    };
}

pub(crate) const ALL: &[Fixture] = &[
    json!("aella", "inwards.completed"),
    json!("aella", "mandate.debit.successful"),
    json!("aella", "transfer.completed"),
    json!("banking_circle", "banking-circle", "batch"),
    json!("banking_circle", "banking-circle", "incoming-payment-processed"),
    json!("banking_circle", "banking-circle", "outgoing-payment-booked"),
    Fixture {
        name: "mambu/loan-disbursed",
        provider: "mambu",
        content: Content::Template(fixture!("mambu/loan-disbursed.template.json"), fixture!("mambu/values.json")),
    },
    json!("opp", "activation-test"),
    json!("opp", "payment"),
    json!("sibs", "payment"),
    json!("standard_webhooks", "standard-webhooks", "invoice.paid"),
];

/// The event of this name. In that of its provider `-` is taken for `_`.
pub(crate) fn find(name: &str) -> Option<&'static Fixture> {
    let (provider, event) = name.split_once('/')?;
    let name = format!("{}/{event}", provider.replace('-', "_"));
    ALL.iter().find(|fixture| fixture.name == name)
}

/// The names, one a line.
pub(crate) fn list() -> String {
    ALL.iter().map(|fixture| format!("{}\n", fixture.name)).collect()
}
