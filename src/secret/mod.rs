//! Secrets and key rings: zeroized when dropped, never printed, never compared with `==`.
//!
//! A [`Secret`] becomes a [`Key`] with a name and a time, several of them a [`KeyRing`], and a ring that can change at run
//! time comes from a [`KeySwap`]. A scheme [prepares](KeyRing::prepare) its keys once and asks them for each delivery
//! which of them [fits](ValidKeys::fitting).

mod bytes;
mod check;
mod key;
mod prepared;
mod registry;
mod ring;
mod swap;

pub use bytes::{Secret, ct_eq, long_enough};
pub use check::KeyCheck;
pub use key::Key;
pub use prepared::{PreparedKeys, ValidKeys};
pub use ring::KeyRing;
pub use swap::KeySwap;

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::error::{ConfigError, ConfigErrorKind};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn empty_blank_edged_and_misencoded_secrets_are_refused() {
        assert_eq!(Secret::utf8("").unwrap_err(), ConfigError::new(ConfigErrorKind::EmptySecret));
        assert_eq!(Secret::utf8("secret\n").unwrap_err(), ConfigError::new(ConfigErrorKind::SecretEdge));
        assert_eq!(Secret::utf8("   ").unwrap_err(), ConfigError::new(ConfigErrorKind::SecretEdge));
        assert_eq!(Secret::hex("0g").unwrap_err(), ConfigError::new(ConfigErrorKind::Encoding("hexadecimal")));
        assert_eq!(Secret::hex("").unwrap_err(), ConfigError::new(ConfigErrorKind::EmptySecret));
        assert_eq!(Secret::base64("a").unwrap_err(), ConfigError::new(ConfigErrorKind::Encoding("Base64")));
        assert_eq!(Secret::hex("00fF").unwrap().expose(), [0, 255]);
    }

    #[test]
    fn nothing_prints_a_secret() {
        let ring = KeyRing::from(Secret::utf8("canary-canary-canary").unwrap());
        let prepared = ring.prepare(|bytes| Ok(bytes.to_vec())).unwrap();
        let printed = format!("{ring:?} {prepared:?}");
        assert!(!printed.contains("canary") && !printed.contains("99"), "{printed}");
    }

    #[test]
    fn a_key_check_is_the_documented_mac_and_no_short_secret_has_one() {
        let key = b"0123456789abcdef";
        let of = |bytes: &[u8]| KeyCheck::of(&Secret::bytes(bytes).unwrap());
        // printf 'tower-webhook key check v1' | openssl dgst -sha256 -hmac 0123456789abcdef
        assert_eq!(of(key), Some(KeyCheck::from_bytes([0xF8, 0xE6, 0xDE])));
        assert_ne!(of(b"0123456789abcdeg"), of(key));
        assert_eq!(of(&key[..15]), None);
    }

    #[test]
    fn a_key_is_valid_from_its_start_to_its_end_and_not_a_nanosecond_longer() {
        let key = Key::new("k", Secret::utf8("s").unwrap())
            .not_before(at("2026-01-01T00:00:00Z"))
            .not_after(at("2026-02-01T00:00:00Z"));
        for (time, valid) in [
            ("2025-12-31T23:59:59.999999999Z", false),
            ("2026-01-01T00:00:00Z", true),
            ("2026-02-01T00:00:00Z", true),
            ("2026-02-01T00:00:00.000000001Z", false),
        ] {
            assert_eq!(key.valid_at(at(time)), valid, "{time}");
        }
    }

    #[test]
    fn a_ring_has_one_to_five_keys_of_different_names() {
        let key = |id: &str| Key::new(id, Secret::utf8("s").unwrap());
        assert_eq!(KeyRing::new([]).unwrap_err(), ConfigError::new(ConfigErrorKind::NoKeys));
        assert!(KeyRing::new(["a", "b", "c", "d", "e"].map(key)).is_ok());
        assert_eq!(
            KeyRing::new(["a", "b", "c", "d", "e", "f"].map(key)).unwrap_err(),
            ConfigError::new(ConfigErrorKind::TooManyKeys { most: 5 })
        );
        assert_eq!(
            KeyRing::new(["a", "b", "a"].map(key)).unwrap_err(),
            ConfigError::new(ConfigErrorKind::KeyIdTwice("a".into()))
        );
        let lasts = |to: &str| KeyRing::new([key("a").not_before(at("2026-11-01T00:00:00Z")).not_after(at(to))]);
        assert_eq!(
            lasts("2026-10-31T23:59:59Z").unwrap_err(),
            ConfigError::new(ConfigErrorKind::KeyNeverValid("a".into()))
        );
        assert!(lasts("2026-11-01T00:00:00Z").is_ok());
    }

    #[test]
    fn replaced_keys_are_let_go_at_once_or_with_the_last_delivery_that_looks_at_them() {
        let now = at("2026-11-24T12:00:00Z");
        let secret = |letter: &str| Secret::utf8(letter.repeat(32)).unwrap();
        let (old, new) = (secret("a"), secret("b"));
        let watched = (old.watch(), new.watch());
        let keys = KeySwap::new(old);
        let prepared = keys.ring().prepare(|bytes| Ok(bytes.to_vec())).unwrap();
        let held = prepared.valid_at(now);
        keys.replace(new).unwrap();
        assert_eq!(held.newest(), Some(&vec![b'a'; 32]), "what is being opened is judged by what it began with");
        assert_eq!(prepared.valid_at(now).newest(), Some(&vec![b'b'; 32]));
        assert!(watched.0.upgrade().is_some());
        drop(held);
        assert!(watched.0.upgrade().is_none());
        assert!(watched.1.upgrade().is_some(), "control");
    }
}
