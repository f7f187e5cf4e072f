//! The Open Payment Platform: payments, registrations, schedules, risk checks and the activation test. The payment is
//! the published sample, the registration as far as one is published; schedule and risk check follow the API's answers
//! (inferred), and the test is second hand.
//!
//! ```
//! use tower_webhook::sender::events::opp;
//!
//! let message = opp::payment().amount("12.50").result_code("800.100.151").message();
//! assert!(message.body.starts_with(br#"{"type":"PAYMENT","payload":{"id":"8a829449515d198b01517d5601df5584","#));
//! ```

use super::body::{builder, numbered, sample, setters};

const PAYMENT: &str = r#"{"type":"PAYMENT","payload":{"id":"8a829449515d198b01517d5601df5584","paymentType":"PA",
"paymentBrand":"VISA","amount":"92.00","currency":"EUR","presentationAmount":"92.00","presentationCurrency":"EUR",
"descriptor":"3017.7139.1650 OPP_Channel ","result":{"code":"000.000.000","description":"Transaction succeeded"},
"authentication":{"entityId":"8a8294185282b95b01528382b4940245"},
"card":{"bin":"420000","last4Digits":"0000","holder":"Jane Jones","expiryMonth":"05","expiryYear":"2018"},
"customer":{"givenName":"Jones","surname":"Jane","merchantCustomerId":"jjones","sex":"F","email":"jane@jones.com"},
"customParameters":{"SHOPPER_promoCode":"AT052"},"risk":{"score":"0"},
"buildNumber":"ec3c704170e54f6d7cf86c6f1969b20f6d855ce5@2015-12-01 12:20:39 +0000",
"timestamp":"2015-12-07 16:46:07+0000","ndc":"8a8294174b7ecb28014b9699220015ca_66b12f658442479c8ca66166c4999e78",
"channelName":"OPP_Channel","source":"SYSTEM","paymentMethod":"CC","shortId":"5420.6916.5424"}}"#;

const REGISTRATION: &str = r#"{"type":"REGISTRATION","action":"CREATED","payload":{
"id":"8a82944a53e6a0150153eaf693584262","paymentBrand":"VISA","result":{"code":"000.000.000",
"description":"Transaction succeeded","randomField1315125026":"Please allow for new unexpected fields to be added"},
"card":{"bin":"420000","last4Digits":"0000","holder":"Jane Jones","expiryMonth":"05","expiryYear":"2018"},
"authentication":{"entityId":"8a8294185282b95b01528382b4940245"},"redirect":{"parameters":[]},"risk":{"score":""},
"timestamp":"2016-04-06 09:45:41+0000","ndc":"8a8294174b7ecb28014b9699220015ca_b1539494024c411684b544574716e608",
"channelName":"OPP_Channel","source":"SYSTEM","paymentMethod":"CC","shortId":"5820.6916.5424"}}"#;

const SCHEDULE: &str = r#"{"type":"SCHEDULE","action":"CREATED","payload":{"id":"8a82944a53e6a0150153eaf693584263",
"registrationId":"8a82944a53e6a0150153eaf693584262","paymentType":"DB","amount":"92.00","currency":"EUR",
"result":{"code":"000.100.110","description":"Request successfully processed in 'Merchant in Integrator Test Mode'"},
"timestamp":"2016-04-06 09:45:41+0000","ndc":"8a8294174b7ecb28014b9699220015ca_b1539494024c411684b544574716e609"}}"#;

const RISK: &str = r#"{"type":"RISK","payload":{"id":"8a82944a53e6a0150153eaf693584264","paymentType":"RI",
"amount":"92.00","currency":"EUR","result":{"code":"000.000.000","description":"Transaction succeeded"},
"risk":{"score":"17"},"timestamp":"2016-04-06 09:45:41+0000",
"ndc":"8a8294174b7ecb28014b9699220015ca_b1539494024c411684b544574716e610"}}"#;

const TEST: &str = r#"{"type":"test","action":"webhook activation","payload":{"result":{"code":"000.100.110",
"description":"Request successfully processed in 'Merchant in Integrator Test Mode'"}}}"#;

builder! {
    /// A notification of the platform.
    Notification
}

setters! {
    Notification {
        /// What it is about, such as `PAYMENT`.
        event: text at "/type",
        /// What happened to a registration or schedule, such as `UPDATED`.
        action: text at "/action",
        /// The platform's id of what it is about.
        id: text at "/payload/id",
        /// Such as `DB` for a debit.
        payment_type: text at "/payload/paymentType",
        /// How much, and how much the payer saw: a JSON string.
        amount: text at "/payload/amount" "/payload/presentationAmount",
        /// Three letters, and those that the payer saw.
        currency: text at "/payload/currency" "/payload/presentationCurrency",
        /// The result code.
        result_code: text at "/payload/result/code",
        /// The merchant's own id.
        merchant_transaction_id: text at "/payload/merchantTransactionId",
        /// The registration that is used.
        registration_id: text at "/payload/registrationId",
        /// Whose card it is.
        holder: text at "/payload/card/holder",
        /// The risk score: a JSON string.
        score: text at "/payload/risk/score",
        /// When it was processed, as `2015-12-07 16:46:07+0000`.
        timestamp: text at "/payload/timestamp",
    }
}

numbered! {
    Notification
    "/payload/id" Hex,
    "/payload/ndc" After("8a8294174b7ecb28014b9699220015ca_"),
    "/payload/registrationId" Hex,
    "/payload/shortId" After("5420."),
}

/// `PAYMENT`: 92.00 EUR preauthorized, by the id `8a829449515d198b01517d5601df5584`.
pub fn payment() -> Notification {
    Notification(sample!(PAYMENT))
}

/// `REGISTRATION`, created, by the id `8a82944a53e6a0150153eaf693584262`.
pub fn registration() -> Notification {
    Notification(sample!(REGISTRATION))
}

/// `SCHEDULE`, created, of 92.00 EUR, by the id `8a82944a53e6a0150153eaf693584263`.
pub fn schedule() -> Notification {
    Notification(sample!(SCHEDULE))
}

/// `RISK`: a score of 17, by the id `8a82944a53e6a0150153eaf693584264`.
pub fn risk() -> Notification {
    Notification(sample!(RISK))
}

/// `test`: what activates a webhook once it is answered. It has no id, and so no number makes another of it.
pub fn activation_test() -> Notification {
    Notification(sample!(TEST))
}
