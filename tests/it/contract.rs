//! The contract suite: the memory store passes it, and a store that breaks a law fails at that law.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test: a panic is a failure")]

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::Instant;
use tower_webhook::clock::{Entropy, NoEntropy};
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::{
    BoxStore, Claim, DedupeStore, Held, LostReason, MemoryStore, RecordState, StoreError, StoreErrorKind,
    StoredResponse, Terms, Token,
};
use tower_webhook::testing::contract::{self, Law, Subject};

struct Memory;

impl Subject for Memory {
    type Store = MemoryStore;

    async fn store(&self) -> MemoryStore {
        MemoryStore::new(10_000)
    }

    async fn bounded(&self, keys: usize) -> Option<MemoryStore> {
        Some(MemoryStore::new(keys))
    }
}

#[tokio::test(start_paused = true)]
async fn the_memory_store_keeps_every_law() {
    contract::check(&Memory).await;
}

/// What is wrong with a [`Flawed`] store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    CompleteUpserts,
    DoneIsForgottenWithTheLease,
    DoneCanBeReleased,
    DoneIsKeptForEver,
    ReleaseDeletes,
    FenceStands,
    RetentionFromFirstClaim,
    ClaimIsNotAtomic,
    AnyTokenReleases,
    AnyTokenRenews,
    CallsCreateRecords,
    RepeatedClaimWaits,
    RepeatedClaimCounts,
    RepeatedCompletionIsLost,
    RepeatedCompletionOverwrites,
    HalfAClaimStays,
    Evicts,
    GrowsWithoutBound,
    FullEvenForKnownKeys,
    FingerprintIsIgnored,
    FingerprintIsIgnoredWhenDone,
    OtherPayloadIsRefused,
    OtherPayloadIsUnsaid,
    OtherPayloadIsSaidOnce,
    OtherPayloadTakesTheLease,
    OtherPayloadEscapesPoison,
    OtherPayloadKeepsTheFingerprint,
    LeaseNeverEnds,
    DelayIsIgnored,
    RenewalIsIgnored,
    RetentionCutsTheLease,
    NeverPoisons,
    PoisonWearsOff,
    LongTimesWrap,
}

/// The state machine once more, as a map, with one flaw.
struct Flawed {
    flaw: Flaw,
    capacity: usize,
    records: Mutex<HashMap<KeyHash, Record>>,
}

#[derive(Clone)]
struct Record {
    fingerprint: Fingerprint,
    other_payload: bool,
    fence: u64,
    tag: RecordState,
    token: Option<Token>,
    until: Instant,
    expires: Instant,
    response: Option<StoredResponse>,
}

impl Flawed {
    fn after(&self, time: Duration) -> Instant {
        let capped = match self.flaw {
            Flaw::LongTimesWrap if time > Duration::from_secs(1 << 32) => Duration::ZERO,
            _ => time.min(Duration::from_secs(1 << 32)),
        };
        Instant::now() + capped
    }

    fn live(&self, key: &KeyHash) -> Option<Record> {
        self.records.lock().unwrap().get(key).filter(|record| Instant::now() < record.expires).cloned()
    }

    fn put(&self, key: &KeyHash, record: Record) -> Result<(), StoreError> {
        let mut records = self.records.lock().unwrap();
        if !records.contains_key(key) || self.flaw == Flaw::FullEvenForKnownKeys {
            records.retain(|_, record| Instant::now() < record.expires);
            if records.len() >= self.capacity {
                match self.flaw {
                    Flaw::GrowsWithoutBound => {}
                    Flaw::Evicts => {
                        let oldest = records.iter().min_by_key(|(_, record)| record.expires).map(|(key, _)| *key);
                        records.remove(&oldest.unwrap());
                    }
                    _ => return Err(StoreErrorKind::Full.into()),
                }
            }
        }
        records.insert(*key, record);
        Ok(())
    }

    fn change(&self, key: &KeyHash, token: &Token, any_token: bool, change: impl FnOnce(&mut Record) -> Held) -> Held {
        let Some(mut record) = self.live(key) else { return Held::Lost(LostReason::Gone) };
        if record.token != Some(*token) && !any_token {
            return Held::Lost(LostReason::Taken(record.tag));
        }
        let held = change(&mut record);
        self.records.lock().unwrap().insert(*key, record);
        held
    }

    /// The record after a claim that was granted.
    fn granted(&self, before: Option<&Record>, token: &Token, fingerprint: &Fingerprint, terms: &Terms) -> Record {
        let until = self.after(if self.flaw == Flaw::LeaseNeverEnds { terms.retention } else { terms.lease });
        let mut expires = self.after(terms.retention);
        if self.flaw != Flaw::RetentionCutsTheLease {
            expires = expires.max(until);
        }
        if let (Flaw::RetentionFromFirstClaim, Some(before)) = (self.flaw, before) {
            expires = before.expires;
        }
        let is_other = before.is_some_and(|before| before.fingerprint != *fingerprint);
        let same = before.is_some_and(|before| before.token == Some(*token)) && !is_other;
        let counts = !same || self.flaw == Flaw::RepeatedClaimCounts;
        let fence = match before {
            Some(before) if self.flaw == Flaw::FenceStands || !counts => before.fence,
            Some(before) => before.fence + 1,
            None => 1,
        };
        let other_payload = match self.flaw {
            Flaw::OtherPayloadIsUnsaid | Flaw::FingerprintIsIgnored => false,
            Flaw::OtherPayloadIsSaidOnce => is_other,
            _ => is_other || before.is_some_and(|before| before.other_payload),
        };
        let fingerprint = match before {
            Some(before) if self.flaw == Flaw::OtherPayloadKeepsTheFingerprint => before.fingerprint,
            _ => *fingerprint,
        };
        let (tag, token) = (RecordState::Pending, Some(*token));
        Record { fingerprint, other_payload, fence, tag, token, until, expires, response: None }
    }
}

impl DedupeStore for Flawed {
    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        let before = self.live(key);
        if self.flaw == Flaw::ClaimIsNotAtomic {
            tokio::task::yield_now().await;
        }
        if let Some(mut record) = before.clone() {
            let state = record.tag;
            let ignored = self.flaw == Flaw::FingerprintIsIgnored
                || self.flaw == Flaw::FingerprintIsIgnoredWhenDone && state == RecordState::Done;
            let is_other = record.fingerprint != *fingerprint && !ignored;
            if is_other && (state == RecordState::Done || self.flaw == Flaw::OtherPayloadIsRefused) {
                return Ok(Claim::Mismatch { state });
            }
            if state == RecordState::Done {
                if self.flaw == Flaw::DoneIsKeptForEver {
                    record.expires = self.after(terms.retention);
                    self.put(key, record.clone())?;
                }
                return Ok(Claim::Done { fence: record.fence, response: record.response.unwrap() });
            }
            if state == RecordState::Poison && self.flaw != Flaw::PoisonWearsOff {
                return Ok(Claim::Poison { attempts: record.fence });
            }
            let same = record.token == Some(*token) && !is_other && self.flaw != Flaw::RepeatedClaimWaits;
            let takes = is_other && self.flaw == Flaw::OtherPayloadTakesTheLease;
            if !same && !takes && Instant::now() < record.until {
                return Ok(Claim::InFlight { retry_in: record.until - Instant::now() });
            }
            let most = terms.max_attempts.map_or(u64::MAX, |most| u64::from(most.get()));
            let escapes = self.flaw == Flaw::NeverPoisons || is_other && self.flaw == Flaw::OtherPayloadEscapesPoison;
            if !same && record.fence >= most && !escapes {
                let poisoned = Record { tag: RecordState::Poison, token: None, ..record };
                self.put(key, poisoned.clone())?;
                return Ok(Claim::Poison { attempts: poisoned.fence });
            }
        }
        let record = self.granted(before.as_ref(), token, fingerprint, terms);
        let (fence, other_payload) = (record.fence, record.other_payload);
        if self.flaw == Flaw::HalfAClaimStays && before.is_none() {
            self.put(key, Record { token: None, ..record.clone() })?;
            tokio::task::yield_now().await;
        }
        self.put(key, record)?;
        Ok(Claim::Acquired { fence, other_payload })
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        let any = self.flaw == Flaw::AnyTokenRenews;
        Ok(self.change(key, token, any, |record| {
            if record.tag != RecordState::Pending {
                return Held::Lost(LostReason::Taken(record.tag));
            }
            if self.flaw != Flaw::RenewalIsIgnored {
                record.until = self.after(lease);
                record.expires = record.expires.max(record.until);
            }
            Held::Ok
        }))
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        if self.flaw == Flaw::CallsCreateRecords && self.live(key).is_none() {
            let record = self.granted(None, token, &Fingerprint::of(b"the event"), &Terms::new(retention));
            self.put(key, record)?;
            return Ok(Held::Lost(LostReason::Gone));
        }
        Ok(self.change(key, token, self.flaw == Flaw::CompleteUpserts, |record| {
            if record.tag == RecordState::Done && self.flaw == Flaw::RepeatedCompletionIsLost {
                return Held::Lost(LostReason::Taken(RecordState::Done));
            }
            if record.tag == RecordState::Pending || self.flaw == Flaw::RepeatedCompletionOverwrites {
                record.response = Some(response.clone());
            }
            if record.tag == RecordState::Pending {
                record.tag = RecordState::Done;
                record.token = Some(*token);
                record.expires = self.after(retention);
                if self.flaw == Flaw::DoneIsForgottenWithTheLease {
                    record.expires = record.until;
                }
            }
            Held::Ok
        }))
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        let held = self.change(key, token, self.flaw == Flaw::AnyTokenReleases, |record| {
            if record.tag == RecordState::Done && self.flaw != Flaw::DoneCanBeReleased
                || record.tag == RecordState::Poison
            {
                return Held::Lost(LostReason::Taken(record.tag));
            }
            record.tag = RecordState::Pending;
            record.token = None;
            record.until = self.after(if self.flaw == Flaw::DelayIsIgnored { Duration::ZERO } else { delay });
            record.expires = record.expires.max(record.until);
            Held::Ok
        });
        if held == Held::Ok && self.flaw == Flaw::ReleaseDeletes {
            self.records.lock().unwrap().remove(key);
        }
        Ok(held)
    }
}

impl Subject for Flaw {
    type Store = Flawed;

    async fn store(&self) -> Flawed {
        Flawed { flaw: *self, capacity: 10_000, records: Mutex::default() }
    }

    async fn bounded(&self, keys: usize) -> Option<Flawed> {
        Some(Flawed { flaw: *self, capacity: keys, records: Mutex::default() })
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_without_a_flaw_keeps_every_law() {
    contract::check(&Flaw::None).await;
}

/// A memory store, handed on as others are.
struct Handed<S>(fn(MemoryStore) -> S);

impl<S: DedupeStore> Subject for Handed<S> {
    type Store = S;

    async fn store(&self) -> S {
        self.0(MemoryStore::new(10_000))
    }

    async fn bounded(&self, keys: usize) -> Option<S> {
        Some(self.0(MemoryStore::new(keys)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_keeps_every_law_however_it_is_handed_on() {
    contract::check(&Handed(Arc::new)).await;
    contract::check(&Handed(BoxStore::new)).await;
    contract::check(&Handed(|store| BoxStore::new(Arc::new(BoxStore::new(store))).clone())).await;
}

/// It says of itself what no other store says.
struct Odd;

impl DedupeStore for Odd {
    fn token(&self, _: &dyn Entropy) -> Result<Token, NoEntropy> {
        Ok(Token::from_bytes([7; 16]))
    }

    fn forgets_at_exit(&self) -> bool {
        true
    }

    async fn claim(&self, _: &KeyHash, _: &Token, _: &Fingerprint, _: &Terms) -> Result<Claim, StoreError> {
        Err(StoreErrorKind::Corrupt.into())
    }

    async fn renew(&self, _: &KeyHash, _: &Token, _: Duration) -> Result<Held, StoreError> {
        Err(StoreErrorKind::Corrupt.into())
    }

    async fn complete(&self, _: &KeyHash, _: &Token, _: &StoredResponse, _: Duration) -> Result<Held, StoreError> {
        Err(StoreErrorKind::Corrupt.into())
    }

    async fn release(&self, _: &KeyHash, _: &Token, _: Duration) -> Result<Held, StoreError> {
        Err(StoreErrorKind::Corrupt.into())
    }
}

#[test]
fn what_a_store_says_of_itself_is_handed_on_too() {
    fn said(store: impl DedupeStore) -> (Token, bool) {
        let none = |_: &mut [u8]| Err(NoEntropy);
        (store.token(&none).unwrap(), store.forgets_at_exit())
    }
    let odd = (Token::from_bytes([7; 16]), true);
    assert_eq!([said(Odd), said(Arc::new(Odd)), said(BoxStore::new(Odd))], [odd; 3]);
}

#[tokio::test(start_paused = true)]
async fn each_flaw_fails_at_its_law() {
    let cases = [
        (Flaw::CompleteUpserts, Law::OneCompletion),
        (Flaw::CallsCreateRecords, Law::OneCompletion),
        (Flaw::DoneIsForgottenWithTheLease, Law::DoneStays),
        (Flaw::DoneCanBeReleased, Law::DoneStays),
        (Flaw::DoneIsKeptForEver, Law::DoneStays),
        (Flaw::ReleaseDeletes, Law::FenceGrows),
        (Flaw::FenceStands, Law::FenceGrows),
        (Flaw::RetentionFromFirstClaim, Law::FenceGrows),
        (Flaw::ClaimIsNotAtomic, Law::FenceGrows),
        (Flaw::AnyTokenReleases, Law::StrangersChangeNothing),
        (Flaw::AnyTokenRenews, Law::StrangersChangeNothing),
        (Flaw::RepeatedClaimWaits, Law::RepeatsAgree),
        (Flaw::RepeatedClaimCounts, Law::RepeatsAgree),
        (Flaw::RepeatedCompletionIsLost, Law::RepeatsAgree),
        (Flaw::RepeatedCompletionOverwrites, Law::RepeatsAgree),
        (Flaw::HalfAClaimStays, Law::UnknownIsDecided),
        (Flaw::Evicts, Law::NothingIsEvicted),
        (Flaw::GrowsWithoutBound, Law::NothingIsEvicted),
        (Flaw::FullEvenForKnownKeys, Law::NothingIsEvicted),
        (Flaw::FingerprintIsIgnored, Law::OtherEventsAreTold),
        (Flaw::FingerprintIsIgnoredWhenDone, Law::OtherEventsAreTold),
        (Flaw::OtherPayloadIsRefused, Law::OtherEventsAreTold),
        (Flaw::OtherPayloadIsUnsaid, Law::OtherEventsAreTold),
        (Flaw::OtherPayloadIsSaidOnce, Law::OtherEventsAreTold),
        (Flaw::OtherPayloadTakesTheLease, Law::OtherEventsAreTold),
        (Flaw::OtherPayloadEscapesPoison, Law::OtherEventsAreTold),
        (Flaw::OtherPayloadKeepsTheFingerprint, Law::OtherEventsAreTold),
        (Flaw::LeaseNeverEnds, Law::KeysComeFree),
        (Flaw::DelayIsIgnored, Law::KeysComeFree),
        (Flaw::RenewalIsIgnored, Law::KeysComeFree),
        (Flaw::RetentionCutsTheLease, Law::KeysComeFree),
        (Flaw::NeverPoisons, Law::TooManyClaimsPoison),
        (Flaw::PoisonWearsOff, Law::TooManyClaimsPoison),
        (Flaw::LongTimesWrap, Law::AnyDurationIsTaken),
    ];
    for (flaw, law) in cases {
        let message = broken(law, flaw).await.unwrap_or_else(|| panic!("{flaw:?} passes {law}"));
        assert!(message.starts_with(&format!("{law} is broken: ")), "{flaw:?}: {message}");
    }
    for law in Law::ALL {
        assert!(cases.iter().any(|(_, broken)| broken == law), "no flaw shows that {law} can fail");
    }
}

async fn broken(law: Law, flaw: Flaw) -> Option<String> {
    let panic = AssertUnwindSafe(law.check(&flaw)).catch_unwind().await.err()?;
    Some(*panic.downcast::<String>().unwrap())
}
