//! The bank's notifications, by an axum handler behind a layer: one call for each of a message.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use tower_webhook::Received;
use tower_webhook::provider::banking_circle;

use crate::{Entry, Ledger};

/// What this application reads of a notification, by its own type.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    pub event_id: String,
    pub notification_type: String,
}

pub async fn booked(
    State(ledger): State<Ledger>,
    event: Received<banking_circle::Event>,
    Json(notification): Json<Notification>,
) -> StatusCode {
    if notification.event_id != event.event_id {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    match ledger.write(Entry::of(event.delivery(), notification.notification_type)) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
