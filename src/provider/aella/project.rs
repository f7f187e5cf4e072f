//! Aella's events in the shared vocabulary.
//!
//! How a transfer ended is said by the event's name and not by `status`, whose failing words are not published. A debit
//! names no currency, and none is made up for it.

use super::events::Event;
use super::model::{Mandate, MandateDebit, Transaction, Transfer};
use crate::event::{self, Amount, Direction, MandatePhase, Party, Text, TransferStatus};

impl event::Project for Event {
    fn project(&self) -> event::Event {
        use Direction::{Incoming, Outgoing};
        use TransferStatus::{Completed, Failed};
        match self {
            Self::TransferCompleted(data) => data.project(Outgoing, Completed),
            Self::TransferFailed(data) => data.project(Outgoing, Failed),
            Self::InwardsCompleted(data) => data.project(Incoming, Completed),
            Self::InwardsFailed(data) => data.project(Incoming, Failed),
            Self::MandateCreated(data) => data.project(MandatePhase::Created),
            Self::MandateConfirmed(data) => data.project(MandatePhase::Confirmed),
            Self::MandateDebitInitiated(data) => data.project(MandatePhase::DebitInitiated),
            Self::MandateDebitFailed(data) => data.project(MandatePhase::DebitFailed),
            Self::MandateDebitSuccessful(data) => data.project(MandatePhase::DebitSuccessful),
            Self::Unknown { name, .. } => event::Event::Unknown(event::Unknown { name: name.clone() }),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::TransferCompleted(_) => "transfer.completed",
            Self::TransferFailed(_) => "transfer.failed",
            Self::InwardsCompleted(_) => "inwards.completed",
            Self::InwardsFailed(_) => "inwards.failed",
            Self::MandateCreated(_) => "mandate.created",
            Self::MandateConfirmed(_) => "mandate.confirmed",
            Self::MandateDebitInitiated(_) => "mandate.debit.initiated",
            Self::MandateDebitFailed(_) => "mandate.debit.failed",
            Self::MandateDebitSuccessful(_) => "mandate.debit.successful",
            Self::Unknown { name, .. } => name,
        }
    }
}

impl Transfer {
    fn project(&self, direction: Direction, status: TransferStatus) -> event::Event {
        let money = |amount: Option<Amount>| amount.map(|amount| amount.of(self.currency.clone()));
        event::Event::Transfer(event::Transfer {
            id: self.id.clone(),
            direction,
            status,
            amount: money(self.amount),
            fee: money(self.fee),
            reference: self.external_reference.clone(),
            narration: self.narration.clone(),
            sender: Party {
                name: self.sender_name.clone(),
                account: self.sender_account_number.clone(),
                bank: self.sender_bank.clone(),
            },
            receiver: Party {
                name: self.receiver_name.clone(),
                account: self.receiver_account_number.clone(),
                bank: self.receiver_bank.clone(),
            },
        })
    }
}

impl MandateDebit {
    fn project(&self, phase: MandatePhase) -> event::Event {
        let mandate = self.mandate.as_ref();
        event::Event::Mandate(event::Mandate {
            id: mandate.and_then(|mandate| mandate.id.clone()).or_else(|| self.transaction.mandate_id.clone()),
            phase,
            status: mandate.and_then(Mandate::status_word),
            debit: Some(self.transaction.project()),
        })
    }
}

impl Mandate {
    fn project(&self, phase: MandatePhase) -> event::Event {
        event::Event::Mandate(event::Mandate { id: self.id.clone(), phase, status: self.status_word(), debit: None })
    }

    fn status_word(&self) -> Option<Text> {
        self.status.as_ref().map(Text::from)
    }
}

impl Transaction {
    fn project(&self) -> event::Debit {
        let money = |amount: Option<Amount>| amount.map(|amount| amount.of(None::<Text>));
        event::Debit {
            id: self.id.clone(),
            amount: money(self.amount),
            fee: money(self.fee),
            narration: self.narration.clone(),
            status: self.status.as_ref().map(Text::from),
            response_code: self.final_response_code.clone().or_else(|| self.response_code.clone()),
        }
    }
}
