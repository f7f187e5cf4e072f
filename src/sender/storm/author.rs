//! Who writes the events of a run: what each provider sends, with the marks of the run in its ids.

use http::HeaderValue;

use super::route::{Author, Theme};
use crate::json::Pointer;
use crate::provider::{Lookup, Message};
use crate::sender::events::{Json, Written, aella, banking_circle, mambu, opp, sibs, standard_webhooks};

/// The most notifications of one message of Banking Circle's in a run. Its subscriptions have 1000, which a run has no use for.
const BATCH: u64 = 8;

/// Writes the events of a provider, of several types, amounts and ways to write the same JSON.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Writer {
    /// Transfers, inward payments and debits.
    Aella,
    /// Messages of one to eight notifications about payments.
    BankingCircle,
    /// Payments.
    Opp,
    /// Payments.
    Sibs,
    /// Any event, whose key is its message's id.
    StandardWebhooks,
    /// A loan's disbursement, whose key is the idempotency key.
    Mambu,
    /// JSON with what a receiver looks for in these places.
    Places {
        /// The event's key.
        key: Vec<Lookup>,
        /// The event's name.
        event: Option<Lookup>,
    },
}

impl Writer {
    /// Who writes for the provider of this crate that has this name.
    #[must_use]
    pub fn of(provider: &str) -> Option<Self> {
        Some(match provider {
            "aella" => Self::Aella,
            "banking_circle" => Self::BankingCircle,
            "mambu" => Self::Mambu,
            "opp" => Self::Opp,
            "sibs" => Self::Sibs,
            "standard_webhooks" => Self::StandardWebhooks,
            _ => return None,
        })
    }

    /// Members of the body alone, as Mambu's templates may have them.
    #[must_use]
    pub fn members(key: impl IntoIterator<Item = Pointer>, event: Option<Lookup>) -> Self {
        Self::Places { key: key.into_iter().map(Lookup::Json).collect(), event }
    }
}

impl Author for Writer {
    fn write(&self, themes: &[Theme]) -> Message {
        let Some(theme) = themes.first().copied() else { return Message::new("{}") };
        let (id, how, amount) = (theme.about.to_string(), written(theme), amount(theme));
        let number = theme.about.number();
        match self {
            Self::Aella => match theme.variant % 3 {
                0 => aella::transfer().number(number).id(id).amount(amount).written(how).message(),
                1 => aella::inwards().number(number).id(id).amount(amount).written(how).message(),
                _ => aella::debit_successful().number(number).id(id).amount(amount).written(how).message(),
            },
            Self::BankingCircle => {
                banking_circle::batch(themes.iter().copied().map(notification)).written(how).message()
            }
            Self::Opp => opp::payment().number(number).id(id).amount(amount).written(how).message(),
            Self::Sibs => sibs::payment().number(number).id(id).amount(amount).written(how).message(),
            Self::StandardWebhooks => {
                let event = standard_webhooks::event("invoice.paid").id(theme.key.to_string());
                event.data(about(theme)).written(how).message()
            }
            Self::Mambu => {
                let event = mambu::json("LOAN_DISBURSEMENT").account(id).amount(amount);
                event.id(theme.key.to_string()).written(how).message()
            }
            Self::Places { key, event } => at_places(key, event.as_ref(), theme),
        }
    }

    fn most(&self) -> u64 {
        if matches!(self, Self::BankingCircle) { BATCH } else { 1 }
    }

    fn has_key_outside(&self) -> bool {
        match self {
            Self::Mambu | Self::StandardWebhooks => true,
            Self::Places { key, .. } => !key.iter().any(|place| matches!(place, Lookup::Json(_))),
            _ => false,
        }
    }
}

fn notification(theme: Theme) -> banking_circle::Notification {
    let notification = match theme.variant % 3 {
        0 => banking_circle::incoming_payment_processed(),
        1 => banking_circle::outgoing_payment_booked(),
        _ => banking_circle::incoming_payment_booked(),
    };
    notification.number(theme.about.number()).id(theme.about.to_string()).amount(amount(theme))
}

/// How the JSON is written, from other bits than what the event is.
fn written(theme: Theme) -> Written {
    let at = usize::try_from((theme.variant >> 8) % Written::ALL.len() as u64).unwrap_or_default();
    Written::ALL.get(at).copied().unwrap_or_default()
}

/// With two places, as money has them, a 0 at the end among them.
fn amount(theme: Theme) -> String {
    let cents = (theme.variant >> 16) % 100_000;
    let (other, tens) = (u64::from(theme.is_other), cents / 10 * 10);
    format!("{}.{:02}", tens / 100 + 1 + other, tens % 100)
}

fn about(theme: Theme) -> Json {
    let id = theme.about.to_string();
    Json::object([("about", Json::from(id.as_str())), ("amount", Json::number(amount(theme)))])
}

/// The key where it is looked for, and what the event is about besides.
fn at_places(key: &[Lookup], event: Option<&Lookup>, theme: Theme) -> Message {
    let mut json = Json::object([("storm", about(theme))]);
    let mut message = Message::new("").idempotency_key(theme.key.to_string());
    let places = key.iter().map(|place| (place, theme.key.to_string()));
    for (place, text) in places.chain(event.map(|place| (place, "storm.event".to_owned()))) {
        match place {
            Lookup::Json(pointer) => json.set(&pointer.to_string(), text.as_str().into()),
            Lookup::Header(name) => {
                if let Ok(value) = HeaderValue::from_str(&text) {
                    message = message.header(name.clone(), value);
                }
            }
            Lookup::Fixed(_) => {}
        }
    }
    message.body = written(theme).write(json).into();
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sender::ledger::{Broken, Handling, Ledger};
    use crate::sender::storm::Mark;

    fn theme(variant: u64) -> Theme {
        Theme::new(Mark::new(7, 42), variant)
    }

    #[test]
    fn every_writer_puts_the_mark_where_it_is_found() {
        let places = Writer::Places {
            key: vec![Lookup::json("/data/id").unwrap(), Lookup::header("x-id").unwrap()],
            event: Some(Lookup::json("/type").unwrap()),
        };
        let own =
            [Writer::Aella, Writer::BankingCircle, Writer::Opp, Writer::Sibs, Writer::StandardWebhooks, Writer::Mambu];
        for writer in own.into_iter().chain([places]) {
            for variant in 0..2000 {
                let message = writer.write(&[theme(variant)]);
                assert_eq!(Mark::find(&message.body).map(Mark::number), Some(42), "{writer:?} {variant}");
                let other = writer.write(&[Theme { is_other: true, ..theme(variant) }]);
                assert_ne!(message.body, other.body, "{writer:?}");
                assert_eq!(message.body, writer.write(&[theme(variant)]).body, "{writer:?}");
            }
        }
    }

    #[test]
    fn what_every_writer_says_is_known_to_the_judge() {
        let places = Writer::members([Pointer::new("/data/id").unwrap()], None);
        let own =
            [Writer::Aella, Writer::BankingCircle, Writer::Opp, Writer::Sibs, Writer::StandardWebhooks, Writer::Mambu];
        for writer in own.into_iter().chain([places]) {
            for variant in (0..16).map(|how| how << 8) {
                let (theme, other) = (theme(variant), Theme { is_other: true, ..theme(variant) });
                let (sent, another) = (writer.write(&[theme]).body, writer.write(&[other]).body);
                for (handed, broken) in [(&sent, 0), (&another, 1)] {
                    let ledger = Ledger::new();
                    let number = ledger.enter(Handling::Works);
                    ledger.says(number, &sent, &theme.about.to_string());
                    ledger.sent(number);
                    ledger.called(Some(number), Some(1)).with(handed).done();
                    let found = ledger.close().count(Broken::WronglyAccepted);
                    assert_eq!(found, broken, "{writer:?} {variant}");
                }
            }
        }
    }

    #[test]
    fn a_key_and_an_event_stand_where_they_are_looked_for() {
        let key = vec![Lookup::json("/data/id").unwrap(), Lookup::header("x-id").unwrap()];
        let writer = Writer::Places { key: key.clone(), event: Some(Lookup::json("/type").unwrap()) };
        let message = writer.write(&[theme(0)]);
        for place in &key {
            assert_eq!(place.find(&message.headers, &message.body), Some(Mark::new(7, 42).to_string()), "{place:?}");
        }
        assert!(!writer.has_key_outside());
        assert!(Writer::Places { key: vec![Lookup::header("x-id").unwrap()], event: None }.has_key_outside());
    }
}
