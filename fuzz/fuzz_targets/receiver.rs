//! The whole receiver of any provider: raw headers and body, with and without proof.
//!
//! Without proof, or with one bit of the body flipped where the proof covers it, no handler is called and nothing is
//! answered 2xx. No answer is a 500: nothing here fails but the input.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use tower_webhook_fuzz::case::{Case, Proof};
use tower_webhook_fuzz::stand::Stand;

/// After so many cases the stores are new ones, so that they are never full for long.
const FRESH: usize = 4096;

struct Run {
    runtime: tokio::runtime::Runtime,
    stand: Stand,
    cases: usize,
}

fn fresh() -> Stand {
    Stand::new().expect("every receiver can be built")
}

thread_local! {
    static RUN: RefCell<Run> = RefCell::new(Run {
        runtime: tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"),
        stand: fresh(),
        cases: 0,
    });
}

fuzz_target!(|input: &[u8]| {
    let Some(case) = Case::read(input) else { return };
    RUN.with_borrow_mut(|run| {
        run.cases += 1;
        if run.cases % FRESH == 0 {
            run.stand = fresh();
        }
        let seen = run.runtime.block_on(run.stand.send(&case));
        assert_ne!(seen.status, 500, "{seen:?}");
        let success = (200..300).contains(&seen.status);
        assert!(seen.handled == 0 || success || seen.batches, "handled and not answered: {seen:?}");
        let forged = match seen.proof {
            Proof::None => true,
            Proof::Damaged => seen.covers_body,
            Proof::Sealed => false,
        };
        assert!(!forged || (seen.handled == 0 && !success), "forged: {seen:?}");
    });
});
