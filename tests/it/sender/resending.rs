//! Mambu's templates, and resending by hand: by numbers, by date, by filter.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tokio::time::sleep;
use tower_webhook::clock::Timestamp;
use tower_webhook::provider::Message;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::sender::template::{self, Escape, Values, render};
use tower_webhook::sender::{Answer, DeliveryProfile, Id, NotSent, State, Webhook};

use super::{DAY, HOUR, Target, at};

const KEY_HEADER: &str = "x-notifications-idempotency-key";

/// One notification an hour from here on, each with its number as key, of which the second fails for good.
async fn five(target: &Target) -> Webhook<Mambu, Target> {
    let mut profile = DeliveryProfile::mambu();
    profile.retries.steps.clear();
    let webhook = at(Mambu::new(), profile, target.clone()).starting_at(hour(0));
    for number in 0..5 {
        webhook.send(Message::new(format!(r#"{{"n":{number}}}"#)).idempotency_key(number.to_string())).unwrap();
        sleep(HOUR).await;
    }
    webhook.settled().await;
    webhook
}

fn hour(number: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 3600 * number).unwrap()
}

fn second_fails() -> Target {
    Target::new(|try_| Ok(Answer::of(if try_ == 2 { StatusCode::BAD_GATEWAY } else { StatusCode::OK })))
}

fn sources(webhook: &Webhook<Mambu, Target>, ids: &[Id]) -> Vec<usize> {
    ids.iter().map(|id| webhook.history()[id.number()].resends.unwrap().number()).collect()
}

#[tokio::test(start_paused = true)]
async fn resends_are_chosen_by_number_by_date_or_by_filter() {
    let target = second_fails();
    let webhook = five(&target).await;
    let by_number = webhook.resend_all([Id::new(3), Id::new(0)]).unwrap();
    assert_eq!(sources(&webhook, &by_number), [3, 0]);
    let by_date = webhook.resend_created(hour(1)..hour(3)).unwrap();
    assert_eq!(sources(&webhook, &by_date), [1, 2]);
    assert_eq!(webhook.resend_created(hour(-9)..hour(0)), Ok(vec![]), "there was none before");
    let failed = webhook.resend_where(|one| one.state == State::Failed).unwrap();
    assert_eq!(sources(&webhook, &failed), [1]);
    let by_key = webhook.resend_where(|one| one.idempotency_key.as_deref() == Some("4")).unwrap();
    assert_eq!(sources(&webhook, &by_key), [4]);
    webhook.settled().await;

    let seen = target.seen();
    let keys: std::collections::HashSet<_> = seen.iter().map(|request| request.headers()[KEY_HEADER].clone()).collect();
    assert_eq!((seen.len(), keys.len()), (11, 11), "every resend has a key of its own");
    assert_eq!(seen[5].body(), seen[3].body());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_number_among_others_resends_none() {
    let target = second_fails();
    let webhook = five(&target).await;
    assert_eq!(webhook.resend_all([Id::new(0), Id::new(5)]), Err(NotSent::Unknown));
    sleep(DAY).await;
    assert_eq!((target.seen().len(), webhook.history().len()), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn a_template_has_its_address_method_type_and_headers_and_keeps_what_it_rendered() {
    let target = Target::new(|try_| Ok(Answer::of(if try_ < 3 { StatusCode::FOUND } else { StatusCode::OK })));
    let webhook = at(Mambu::new(), DeliveryProfile::mambu(), target.clone());
    let mut values = Values::from([("ACCOUNT_ID".into(), "A/1".into()), ("CLIENT_NAME".into(), "Zoë & Co".into())]);
    let fill = |values: &Values| {
        let body = render("<n id=\"{CF:CLIENT:Score:1}\">{CLIENT_NAME}</n>", values, Escape::of("application/xml"));
        Message::new(body).target(template::url("http://127.0.0.1:8080/{ACCOUNT_ID}?cf={CF:X}", values).unwrap())
    };
    let message = fill(&values)
        .method(Method::PATCH)
        .content_type(HeaderValue::from_static("application/xml"))
        .header(HeaderName::from_static("x-api-key"), HeaderValue::from_static("{CLIENT_NAME}"));
    let id = webhook.send(message).unwrap();
    values.insert("CLIENT_NAME".into(), "renamed".into());
    webhook.settled().await;
    webhook.resend(id).unwrap();
    webhook.send(Message::new("{}")).unwrap();
    webhook.settled().await;

    let seen = target.seen();
    assert_eq!(seen.len(), 5, "twice redirected, taken, resent; and another");
    for request in &seen[..4] {
        assert_eq!(
            (request.method(), request.uri().to_string()),
            (&Method::PATCH, "http://127.0.0.1:8080/A%2F1?cf=".into())
        );
        assert_eq!(request.body(), r#"<n id="">Zoë &amp; Co</n>"#);
        assert_eq!(request.headers()[CONTENT_TYPE], "application/xml");
        assert_eq!(request.headers()["x-api-key"], "{CLIENT_NAME}", "a header has no placeholders");
    }
    assert_eq!((seen[4].method(), seen[4].uri().path()), (&Method::POST, "/hook"), "as it is where nothing is said");
    assert_eq!(fill(&values).body, "<n id=\"\">renamed</n>");
}
