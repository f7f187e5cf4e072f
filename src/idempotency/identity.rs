//! Whose a name on a store is: what tells a receiver from another that was given the same name by chance.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::secret::KeyCheck;

/// How many check values of a kind are remembered, those that were used last. A key ring holds 5, so that two full rings and
/// more find each other through a rotation.
#[cfg(any(feature = "redis", test))]
const MAX: usize = 16;

/// A receiver as a store that others use too knows it.
///
/// [`Receiver::identity`](crate::Receiver::identity) makes it. Who stacks layers by hand makes one of the provider's
/// [`key_checks`](crate::scheme::Scheme::key_checks) and the user names of the Basic credentials.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceiverIdentity {
    tenant: String,
    receiver: String,
    pub(super) known: Known,
}

/// What is known of a name's receivers, the newest first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Known {
    pub(super) provider: String,
    pub(super) keys: Vec<[u8; 3]>,
    pub(super) users: Vec<[u8; 3]>,
}

impl ReceiverIdentity {
    /// The receiver of this name, tenant (may be empty) and provider, of which no keys are known.
    #[must_use]
    pub fn new(tenant: &str, provider: &str, receiver: &str) -> Self {
        let known = Known::nothing_of(provider);
        Self { tenant: tenant.to_owned(), receiver: receiver.to_owned(), known }
    }

    /// With these keys.
    #[must_use]
    pub fn keys(mut self, checks: impl IntoIterator<Item = KeyCheck>) -> Self {
        self.known.keys.extend(checks.into_iter().map(|check| *check.as_bytes()));
        self
    }

    /// With Basic credentials of these user names. Passwords have no part in it, since they can be guessed.
    #[must_use]
    pub fn users<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.known.users.extend(names.into_iter().filter_map(user_check));
        self
    }

    /// The tenant. May be empty.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The receiver's name.
    #[must_use]
    pub fn receiver(&self) -> &str {
        &self.receiver
    }

    /// The provider's name.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.known.provider
    }

    /// Whether both may go by one name: replicas do, and so does a receiver whose keys are being replaced, as long as it
    /// shares a key with the one before. Where one of them has no keys that can be told apart, a user name is enough, and
    /// where there are none of these either, the provider. Other names never meet.
    ///
    /// # Errors
    ///
    /// [`NameTaken`] when this one may not share the name of `first`, who had it first.
    pub fn may_join(&self, first: &Self) -> Result<(), NameTaken> {
        if (&self.tenant, &self.receiver) == (&first.tenant, &first.receiver) {
            return self.may_use(&first.known);
        }
        Ok(())
    }

    /// Whether this one may use its name, where that is known of it.
    pub(super) fn may_use(&self, known: &Known) -> Result<(), NameTaken> {
        let is_same_provider = self.known.provider == known.provider;
        if is_same_provider && self.known.may_be_kin(known) {
            return Ok(());
        }
        let [tenant, receiver, provider] = [&self.tenant, &self.receiver, &known.provider].map(Clone::clone);
        Err(NameTaken { tenant, receiver, provider, is_same_provider })
    }
}

impl Known {
    pub(super) fn nothing_of(provider: &str) -> Self {
        Self { provider: provider.to_owned(), keys: Vec::new(), users: Vec::new() }
    }

    fn may_be_kin(&self, other: &Self) -> bool {
        for (mine, theirs) in [(&self.keys, &other.keys), (&self.users, &other.users)] {
            if !mine.is_empty() && !theirs.is_empty() {
                return mine.iter().any(|check| theirs.contains(check));
            }
        }
        true
    }

    /// The same, with what was known before behind it.
    #[cfg(any(feature = "redis", test))]
    pub(super) fn before(&self, earlier: Self) -> Self {
        let newest = |mine: &Vec<_>, earlier: Vec<_>| {
            let mut all = Vec::with_capacity(MAX);
            for check in mine.iter().copied().chain(earlier) {
                if all.len() < MAX && !all.contains(&check) {
                    all.push(check);
                }
            }
            all
        };
        let (keys, users) = (newest(&self.keys, earlier.keys), newest(&self.users, earlier.users));
        Self { provider: earlier.provider, keys, users }
    }
}

fn user_check(name: &str) -> Option<[u8; 3]> {
    let digest = Sha256::new().chain_update("tower-webhook user check v1").chain_update(name).finalize();
    digest.first_chunk().copied()
}

/// A name that belongs to another receiver, which could otherwise claim this one's events, and this one its.
///
/// It prints whose the name is, and how to go on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameTaken {
    tenant: String,
    receiver: String,
    provider: String,
    is_same_provider: bool,
}

impl NameTaken {
    /// What is wrong: whose the name is.
    #[must_use]
    pub fn problem(&self) -> String {
        let Self { tenant, receiver, provider, is_same_provider } = self;
        let tenant = if tenant.is_empty() { String::new() } else { format!(" of tenant {tenant:?}") };
        let keys = if *is_same_provider { " with other keys" } else { "" };
        format!("the name {receiver:?}{tenant} belongs to another receiver, of provider {provider:?}{keys}")
    }

    /// What would be right.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        if self.is_same_provider {
            "set another `name` or `tenant`; or, if its keys were replaced, start once with an old key beside the new"
        } else {
            "set another `name` or `tenant`"
        }
    }
}

impl fmt::Display for NameTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem(), self.remedy())
    }
}

impl std::error::Error for NameTaken {}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(keys: &[u8], users: &[&str]) -> ReceiverIdentity {
        let checks = keys.iter().map(|key| KeyCheck::from_bytes([*key; 3]));
        ReceiverIdentity::new("", "aella", "ng").keys(checks).users(users.iter().copied())
    }

    #[test]
    fn a_name_is_shared_by_a_key_or_else_by_a_user_or_else_by_the_provider() {
        for (case, first, second, may) in [
            ("replicas", receiver(&[1], &[]), receiver(&[1], &[]), true),
            ("other keys", receiver(&[1], &[]), receiver(&[2], &[]), false),
            ("a rotation", receiver(&[1], &[]), receiver(&[2, 1], &[]), true),
            ("other keys, and one user name", receiver(&[1], &["hook"]), receiver(&[2], &["hook"]), false),
            ("one key, and other user names", receiver(&[1], &["hook"]), receiver(&[1], &["web"]), true),
            ("one user name", receiver(&[], &["hook"]), receiver(&[], &["hook"]), true),
            ("other user names", receiver(&[], &["hook"]), receiver(&[], &["web"]), false),
            ("a user name where one has no key", receiver(&[1], &["hook"]), receiver(&[], &["hook"]), true),
            ("another one where one has no key", receiver(&[1], &["hook"]), receiver(&[], &["web"]), false),
            ("nothing to tell apart", receiver(&[], &[]), receiver(&[], &[]), true),
            ("nothing on one side", receiver(&[1], &["hook"]), receiver(&[], &[]), true),
        ] {
            assert_eq!(second.may_join(&first).is_ok(), may, "{case}");
            assert_eq!(first.may_join(&second).is_ok(), may, "{case}, the other way round");
        }
    }

    #[test]
    fn another_provider_never_shares_and_another_name_or_tenant_never_meets() {
        let first = receiver(&[1], &[]);
        let of = |tenant, provider, name| {
            ReceiverIdentity::new(tenant, provider, name).keys([KeyCheck::from_bytes([2; 3])]).may_join(&first)
        };
        assert!(of("", "aella", "ng").is_err() && of("", "opp", "ng").is_err());
        assert_eq!((of("shop", "aella", "ng"), of("", "aella", "ke")), (Ok(()), Ok(())));
        let same = ReceiverIdentity::new("", "opp", "ng").keys([KeyCheck::from_bytes([1; 3])]);
        assert!(same.may_join(&first).is_err(), "the same key at another provider");
    }

    #[test]
    fn who_is_refused_is_told_whose_the_name_is_and_how_to_go_on() {
        let taken = receiver(&[2], &[]).may_join(&receiver(&[1], &[])).unwrap_err();
        let text = taken.to_string();
        for word in ["\"ng\"", "\"aella\"", "other keys", "`tenant`", "`name`", "an old key beside the new"] {
            assert!(text.contains(word), "{word} in {text}");
        }
        let other = ReceiverIdentity::new("shop", "opp", "ng");
        let text = other.may_use(&receiver(&[1], &[]).known).unwrap_err().to_string();
        assert!(text.contains("of tenant \"shop\"") && !text.contains("keys"), "{text}");
    }

    #[test]
    fn the_checks_that_were_used_last_are_kept() {
        let mut known = receiver(&[0], &["a"]).known;
        for key in 1..40 {
            known = receiver(&[key, key - 1], &["b"]).known.before(known);
        }
        let last: Vec<_> = (24..40).rev().map(|key| [key; 3]).collect();
        assert_eq!(known.keys, last);
        assert_eq!(known.users, receiver(&[], &["b", "a"]).known.users);
    }
}
