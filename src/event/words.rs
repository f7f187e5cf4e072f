//! Status words: enums that know the published words and keep every other as it came.

/// Makes an enum of published words with an `Other` for the rest. Reads and writes the word as text.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// A word that this version does not know, as it came.
            Other($crate::event::Text),
        }

        impl $name {
            /// The word itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Other(other.into()),
                }
            }
        }

        impl From<&$name> for $crate::event::Text {
            fn from(word: &$name) -> Self {
                word.as_str().into()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::event::from_text(deserializer)
            }
        }
    };
}

pub(crate) use words;

words! {
    /// In or out.
    Direction {
        /// Money comes in.
        Incoming "incoming",
        /// Money goes out.
        Outgoing "outgoing",
    }
}

words! {
    /// How a transfer ended.
    TransferStatus {
        /// The money moved.
        Completed "completed",
        /// The money did not move.
        Failed "failed",
    }
}

words! {
    /// What happened to a mandate.
    MandatePhase {
        /// It was set up.
        Created "created",
        /// The payer confirmed it.
        Confirmed "confirmed",
        /// A debit was begun.
        DebitInitiated "debit_initiated",
        /// A debit failed.
        DebitFailed "debit_failed",
        /// A debit moved money.
        DebitSuccessful "debit_successful",
    }
}

words! {
    /// How far a payment on a bank account is.
    BookingStatus {
        /// Processed by the bank.
        Processed "processed",
        /// On the account's books.
        Booked "booked",
        /// Refused.
        Rejected "rejected",
        /// Waiting for money on the account.
        MissingFunding "missing_funding",
        /// Taken back.
        Reversed "reversed",
        /// On its way through another rail.
        Routed "routed",
        /// A direct debit that waits to be processed.
        PendingDirectDebit "pending_direct_debit",
    }
}

words! {
    /// What became of a payment, by the class of its result code.
    PaymentClass {
        /// It succeeded.
        Success "success",
        /// It succeeded, and a person should look at it.
        Review "review",
        /// It is not decided.
        Pending "pending",
        /// It was refused.
        Rejected "rejected",
        /// It was charged back.
        Chargeback "chargeback",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Text;

    #[test]
    fn a_known_word_is_its_variant_and_any_other_survives_the_round_trip() {
        assert_eq!(Direction::from("incoming"), Direction::Incoming);
        let odd: Direction = serde_json::from_str("\"side\\u0077ays\"").unwrap();
        assert_eq!(odd, Direction::Other("sideways".into()));
        assert_eq!(serde_json::to_string(&odd).unwrap(), "\"sideways\"");
        assert_eq!((Text::from(&odd), Text::from(&Direction::Outgoing)), ("sideways".into(), "outgoing".into()));
        for json in ["null", "1", "[\"incoming\"]", "{\"incoming\":1}"] {
            assert!(serde_json::from_str::<Direction>(json).is_err(), "{json}");
        }
    }
}
