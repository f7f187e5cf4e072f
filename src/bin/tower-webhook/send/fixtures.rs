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
    ($path:literal) => {
        include_str!(concat!("../../../../tests/fixtures/", $path))
    };
}

macro_rules! json {
    ($provider:literal, $name:literal) => {
        Fixture {
            name: $name,
            provider: $provider,
            content: Content::Json(include_str!(concat!("../../../../tests/fixtures/", $name, ".json"))),
        }
    };
}

pub(crate) const ALL: &[Fixture] = &[
    json!("aella", "aella/inwards.completed"),
    json!("aella", "aella/mandate.debit.successful"),
    json!("aella", "aella/transfer.completed"),
    json!("banking_circle", "banking-circle/batch"),
    json!("banking_circle", "banking-circle/incoming-payment-processed"),
    json!("banking_circle", "banking-circle/outgoing-payment-booked"),
    Fixture {
        name: "mambu/loan-disbursed",
        provider: "mambu",
        content: Content::Template(fixture!("mambu/loan-disbursed.template.json"), fixture!("mambu/values.json")),
    },
    json!("opp", "opp/activation-test"),
    json!("opp", "opp/payment"),
    json!("sibs", "sibs/payment"),
    json!("standard_webhooks", "standard-webhooks/invoice.paid"),
];

pub(crate) fn find(name: &str) -> Option<&'static Fixture> {
    ALL.iter().find(|fixture| fixture.name == name)
}

/// The names, one a line.
pub(crate) fn list() -> String {
    ALL.iter().map(|fixture| format!("{}\n", fixture.name)).collect()
}
