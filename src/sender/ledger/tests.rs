//! Each promise, kept and broken.

use super::*;

fn run(ledger: &Ledger, steps: impl FnOnce(&Ledger, u64)) -> Vec<(Broken, u64)> {
    let number = ledger.enter(Handling::Works);
    steps(ledger, number);
    let tally = ledger.close();
    Broken::ALL.into_iter().map(|one| (one, tally.count(one))).filter(|(_, count)| *count > 0).collect()
}

fn judged(steps: impl FnOnce(&Ledger, u64)) -> Vec<(Broken, u64)> {
    run(&Ledger::new(), steps)
}

fn done(ledger: &Ledger, number: u64, fence: Option<u64>) {
    ledger.called(Some(number), fence).done();
}

#[test]
fn sent_handled_and_accepted_is_well() {
    assert_eq!(
        judged(|ledger, number| {
            ledger.sent(number);
            done(ledger, number, Some(1));
            ledger.accepted(number);
            ledger.accepted(number);
        }),
        []
    );
}

#[test]
fn a_higher_fence_before_the_sender_had_a_2xx_is_called_again_and_no_more() {
    let ledger = Ledger::new();
    let broken = run(&ledger, |ledger, number| {
        ledger.sent(number);
        drop(ledger.called(Some(number), Some(1)));
        ledger.called(Some(number), Some(2)).failed();
        done(ledger, number, Some(5));
        ledger.accepted(number);
    });
    assert_eq!((broken, ledger.close().called_again), (vec![], 2));
}

#[test]
fn the_same_fence_a_lower_one_and_none_are_twice_and_so_is_any_after_a_2xx() {
    for (first, second, accepted) in [
        (Some(1), Some(1), false),
        (Some(2), Some(1), false),
        (Some(1), None, false),
        (None, None, false),
        (Some(1), Some(2), true),
    ] {
        let broken = judged(|ledger, number| {
            ledger.sent(number);
            done(ledger, number, first);
            if accepted {
                ledger.accepted(number);
            }
            done(ledger, number, second);
            ledger.accepted(number);
        });
        assert_eq!(broken, [(Broken::HandledTwice, 1)], "{first:?} {second:?} {accepted}");
    }
}

#[test]
fn who_knows_no_fence_may_call_again_what_failed() {
    let broken = judged(|ledger, number| {
        ledger.sent(number);
        ledger.called(Some(number), None).failed();
        done(ledger, number, None);
        ledger.accepted(number);
    });
    assert_eq!(broken, []);
}

#[test]
fn what_is_accepted_and_never_handled_is_lost_and_was_answered_early() {
    let broken = judged(|ledger, number| {
        ledger.sent(number);
        ledger.accepted(number);
    });
    assert_eq!(broken, [(Broken::Lost, 1), (Broken::AnsweredEarly, 1)]);
    let late = judged(|ledger, number| {
        ledger.sent(number);
        ledger.accepted(number);
        done(ledger, number, Some(1));
    });
    assert_eq!(late, [(Broken::AnsweredEarly, 1),]);
    let stored = run(&Ledger::of_an_inbox(), |ledger, number| {
        ledger.sent(number);
        ledger.accepted(number);
        drop(ledger.called(Some(number), Some(1)));
        done(ledger, number, Some(2));
    });
    assert_eq!(stored, []);
}

#[test]
fn what_is_done_is_called_again_once_each_time_an_inbox_went_down_and_no_more() {
    let judge = |downs_before: u64, downs: u64, unheard: u64, calls: u64| {
        let ledger = Ledger::of_an_inbox();
        let broken = run(&ledger, |ledger, number| {
            (0..downs_before).for_each(|_| ledger.went_down());
            ledger.sent(number);
            done(ledger, number, Some(1));
            ledger.accepted(number);
            (0..downs).for_each(|_| ledger.went_down());
            ledger.sent(number);
            (0..unheard).for_each(|_| ledger.unheard(number));
            (0..calls).for_each(|call| done(ledger, number, Some(2 + call)));
        });
        (broken, ledger.close().called_again)
    };
    assert_eq!(judge(0, 0, 0, 1), (vec![(Broken::HandledTwice, 1)], 0));
    assert_eq!(judge(1, 0, 0, 1), (vec![(Broken::HandledTwice, 1)], 0));
    assert_eq!(judge(0, 1, 0, 1), (vec![], 1));
    assert_eq!(judge(0, 0, 1, 1), (vec![], 1));
    assert_eq!(judge(1, 2, 1, 3), (vec![], 3));
    assert_eq!(judge(1, 2, 1, 5), (vec![(Broken::HandledTwice, 2)], 3));
}

#[test]
fn what_has_failed_is_called_again_by_an_inbox_that_never_went_down() {
    let ledger = Ledger::of_an_inbox();
    let broken = run(&ledger, |ledger, number| {
        ledger.sent(number);
        ledger.accepted(number);
        ledger.called(Some(number), Some(1)).failed();
        drop(ledger.called(Some(number), Some(2)));
        done(ledger, number, Some(3));
    });
    assert_eq!((broken, ledger.close().called_again), (vec![], 2));
}

#[test]
fn what_is_neither_accepted_nor_refused_is_unsettled_but_for_poison() {
    assert_eq!(judged(|ledger, number| ledger.sent(number)), [(Broken::Unsettled, 1)]);
    assert_eq!(judged(|ledger, number| ledger.refused(number, &401)), [(Broken::WronglyRefused, 1)]);
    let ledger = Ledger::new();
    let poison = ledger.enter(Handling::Poison);
    ledger.sent(poison);
    assert!(ledger.close().is_happy());
}

#[test]
fn an_event_is_told_of_by_its_name_and_what_is_excused_need_not_settle() {
    let ledger = Ledger::new();
    let also = ledger.enter_named(Handling::Works, &"no fault".into());
    let named = ledger.enter_as(Handling::Works, &"transfer|7b".into());
    let excused = ledger.enter(Handling::Works);
    ledger.given_up(named, &"answered 503");
    ledger.excuse(excused);
    assert_eq!(ledger.close().count(Broken::Unsettled), 2, "{also} too");
    assert_eq!(
        ledger.examples(),
        ["unsettled: event transfer|7b: answered 503", "unsettled: event 0 (no fault): not accepted to the end"]
    );
    ledger.accepted(excused);
    ledger.given_up(excused, &"it was accepted");
    assert_eq!(ledger.close().count(Broken::Unsettled), 2);
}

#[test]
fn what_was_never_proved_may_not_be_handled_or_answered_2xx() {
    assert_eq!(
        judged(|ledger, number| {
            done(ledger, number, Some(1));
            ledger.sent(number);
            ledger.accepted(number);
        }),
        [(Broken::WronglyAccepted, 1)]
    );
    assert_eq!(
        judged(|ledger, number| {
            ledger.taken(number, &"forged");
            ledger.sent(number);
            done(ledger, number, Some(1));
            ledger.accepted(number);
        }),
        [(Broken::WronglyAccepted, 1)]
    );
    assert_eq!(
        judged(|ledger, number| {
            ledger.sent(number);
            done(ledger, number, Some(1));
            ledger.accepted(number);
            ledger.called(None, Some(1)).done();
            ledger.called(Some(77), Some(1)).done();
        }),
        [(Broken::WronglyAccepted, 2)]
    );
}

#[test]
fn a_lane_that_is_kept_is_called_in_its_order_and_other_lanes_may_be_ahead() {
    let run = |ledger: &Ledger, order: [usize; 3]| {
        let events = [1, 1, 2].map(|lane| {
            let event = ledger.enter(Handling::Works);
            ledger.in_lane(event, lane);
            ledger.sent(event);
            event
        });
        for at in order {
            done(ledger, events[at], Some(1));
            ledger.accepted(events[at]);
        }
        let tally = ledger.close();
        (tally.overtaken, tally.count(Broken::OutOfOrder))
    };
    assert_eq!(run(&Ledger::new().that_keeps_lanes(), [2, 0, 1]), (0, 0));
    assert_eq!(run(&Ledger::new().that_keeps_lanes(), [1, 0, 2]), (1, 1));
    assert_eq!(run(&Ledger::new(), [1, 0, 2]), (1, 0));
}

#[test]
fn one_id_at_two_receivers_is_two_events() {
    let ledger = Ledger::new();
    let [own, other] = [(); 2].map(|()| ledger.enter(Handling::Works));
    ledger.elsewhere(own, "other", other);
    for (receiver, event) in [("own", own), ("other", other)] {
        ledger.sent(event);
        ledger.called_by(receiver, Some(own), Some(1)).done();
        ledger.accepted(event);
    }
    assert!(ledger.close().is_happy());
    ledger.called_by("other", Some(own), Some(2)).done();
    assert_eq!(ledger.close().count(Broken::HandledTwice), 1);
}

#[test]
fn the_first_call_fails_where_the_run_wants_it() {
    let ledger = Ledger::new();
    let number = ledger.enter(Handling::FailsAtFirst);
    ledger.sent(number);
    let first = ledger.called(Some(number), Some(1));
    assert_eq!(first.handling(), Handling::FailsAtFirst);
    first.failed();
    assert_eq!(ledger.called(Some(number), Some(2)).handling(), Handling::Works);
    let (one, other) = (Ledger::new(), Ledger::new());
    assert_eq!(one.enter_named(Handling::Works, &"a".into()), other.enter_named(Handling::Works, &"b".into()));
    assert_ne!(one.hash(), other.hash());
    other.accepted(0);
    assert_ne!(other.hash(), ledger.hash());
    assert_eq!(ledger.examples(), Vec::<String>::new());
}

#[test]
fn a_handler_is_called_with_what_was_sent_or_a_part_that_names_the_event() {
    let sent = br#"[{"id":"a","amount":1.50},{"id":"b","amount":2}]"#;
    for (handed, broken) in [
        (&br#"{"amount":1.5,"id":"a"}"#[..], vec![]),
        (sent, vec![]),
        (br#"{"id":"b","amount":2}"#, vec![(Broken::WronglyAccepted, 1)]),
        (br#"{"id":"a","amount":1.51}"#, vec![(Broken::WronglyAccepted, 1)]),
        (b"", vec![(Broken::WronglyAccepted, 1)]),
    ] {
        let judged = judged(|ledger, number| {
            ledger.says(number, sent, "a");
            ledger.sent(number);
            ledger.called(Some(number), Some(1)).with(handed).done();
            ledger.accepted(number);
        });
        assert_eq!(judged, broken, "{}", String::from_utf8_lossy(handed));
    }
}

#[test]
fn told_again_an_event_may_say_either_and_of_one_that_says_nothing_nobody_knows() {
    let broken = judged(|ledger, number| {
        ledger.says(number, br#"{"id":"a","n":1}"#, "a");
        ledger.says(number, br#"{"id":"a","n":2}"#, "a");
        ledger.sent(number);
        ledger.called(Some(number), Some(1)).with(br#"{"id":"a","n":1}"#).failed();
        ledger.called(Some(number), Some(2)).with(br#"{"id":"a","n":2}"#).done();
        ledger.accepted(number);
        let other = ledger.enter(Handling::Works);
        ledger.says(other, b"no JSON", "a");
        ledger.sent(other);
        ledger.called(Some(other), Some(1)).with(b"anything").done();
        ledger.accepted(other);
    });
    assert_eq!(broken, []);
}
