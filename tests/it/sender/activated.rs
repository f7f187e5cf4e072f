//! OPP: either wrapper, the test that a new webhook has to acknowledge, and switching on again.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use tower_webhook::clock::Timestamp;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::opp::Wrapper;
use tower_webhook::provider::{Message, Provider as _};
use tower_webhook::secret::Secret;
use tower_webhook::sender::{Answer, Came, DeliveryProfile, NotSent, State, Status, Webhook};

use super::{KEY, PAYMENT, TRANSFER, Target, at, opp_provider};

fn plaintext(request: &http::Request<bytes::Bytes>) -> bytes::Bytes {
    let opp = opp_provider();
    opp.scheme().open(request.headers(), request.body().clone(), Timestamp::UNIX_EPOCH).unwrap().plaintext
}

#[tokio::test(start_paused = true)]
async fn a_new_webhook_is_active_once_its_test_was_acknowledged() {
    let target = Target::new(|try_| Ok(Answer::of(if try_ < 3 { StatusCode::NO_CONTENT } else { StatusCode::OK })));
    let webhook = at(opp_provider(), DeliveryProfile::opp(), target.clone()).inactive();
    assert_eq!(webhook.send(Message::new(PAYMENT)), Err(NotSent::SwitchedOff));
    for _ in 0..2 {
        assert_eq!(webhook.activate().await, Ok(Some(Came::Refused(StatusCode::NO_CONTENT))));
        assert_eq!(webhook.status(), Status::Inactive);
    }
    assert_eq!(webhook.activate().await, Ok(Some(Came::Delivered(StatusCode::OK))));
    assert_eq!(webhook.status(), Status::Active);
    webhook.send(Message::new(PAYMENT)).unwrap();
    webhook.settled().await;

    let seen = target.seen();
    assert_eq!((seen.len(), webhook.history().len()), (4, 1), "a test is tried once, and is no notification");
    let test = opp_provider().decode(seen[2].headers(), plaintext(&seen[2])).unwrap();
    assert!(matches!(test[0].event, tower_webhook::provider::opp::Event::Test(_)), "{:?}", test[0].event);
    let payment = opp_provider().decode(seen[3].headers(), plaintext(&seen[3])).unwrap();
    assert!(!matches!(payment[0].event, tower_webhook::provider::opp::Event::Test(_)));
}

#[tokio::test(start_paused = true)]
async fn who_has_no_test_is_switched_on_without_one() {
    let target = Target::always(500);
    let webhook =
        at(Aella::new(Secret::hex(KEY).unwrap()).unwrap(), DeliveryProfile::aella(), target.clone()).inactive();
    assert_eq!(webhook.send(Message::new(TRANSFER)), Err(NotSent::SwitchedOff));
    assert_eq!(webhook.activate().await, Ok(None));
    assert_eq!((webhook.status(), target.seen().len()), (Status::Active, 0));
}

#[tokio::test(start_paused = true)]
async fn switched_off_by_failure_it_is_on_again_by_hand_or_by_a_test_with_an_empty_queue() {
    async fn fallen(target: &Target) -> Webhook<tower_webhook::provider::opp::Opp, Target> {
        let webhook = at(opp_provider(), DeliveryProfile::opp(), target.clone());
        webhook.send(Message::new(PAYMENT)).unwrap();
        webhook.settled().await;
        assert!(matches!(webhook.status(), Status::SwitchedOff { .. }));
        webhook
    }
    let target = Target::new(|try_| Ok(Answer::of(if try_ <= 126 { StatusCode::BAD_GATEWAY } else { StatusCode::OK })));
    let by_test = fallen(&target).await;
    assert_eq!(by_test.activate().await, Ok(Some(Came::Delivered(StatusCode::OK))));
    assert_eq!(target.seen().len(), 127, "the test alone: the queue was deleted");
    assert_eq!((by_test.status(), by_test.history()[0].state), (Status::Active, State::Failed));

    let down = Target::always(500);
    let by_hand = fallen(&down).await;
    assert_eq!(by_hand.activate().await, Ok(Some(Came::Refused(StatusCode::INTERNAL_SERVER_ERROR))));
    assert!(matches!(by_hand.status(), Status::SwitchedOff { .. }), "a test that fails switches nothing on");
    by_hand.switch_on();
    assert_eq!((by_hand.status(), down.seen().len()), (Status::Active, 127));
}

#[tokio::test(start_paused = true)]
async fn either_wrapper_is_opened_and_a_changed_one_is_not() {
    for (wrapper, content_type, begins) in
        [(Wrapper::None, "text/plain", None), (Wrapper::Json, "application/json", Some(r#"{"encryptedBody":""#))]
    {
        let target = Target::always(200);
        let webhook = at(opp_provider().sealed_as(wrapper).unwrap(), DeliveryProfile::opp(), target.clone());
        webhook.send(Message::new(PAYMENT)).unwrap();
        webhook.settled().await;
        let request = &target.seen()[0];
        assert_eq!(request.headers()[CONTENT_TYPE], content_type);
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        match begins {
            Some(begins) => assert!(body.starts_with(begins), "{body}"),
            None => assert!(body.bytes().all(|byte| byte.is_ascii_hexdigit()), "{body}"),
        }
        assert_eq!(plaintext(request), PAYMENT);
        let place = body.len() / 2;
        let other = if &body[place..=place] == "0" { "1" } else { "0" };
        let changed = [&body[..place], other, &body[place + 1..]].concat();
        assert!(opp_provider().scheme().open(request.headers(), changed.into(), Timestamp::UNIX_EPOCH).is_err());
    }
}
