//! RSA and ECDSA. The fixtures were made by OpenSSL 3.0.19 over `1674087231.{"event":"example"}`.

use http::HeaderMap;
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding::{Base64, Hex};
use tower_webhook::scheme::{
    Ed25519, Scheme, SealError, Sealing, Signature, SignatureAlgorithm, Signed, Template, TimeUnit, Tolerance,
    public_key,
};
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::{ConfigError, ConfigErrorKind, RejectionKind};

use super::{Outcome, assert_mismatch, expired, flips, headers, kind, name};

const HEADER: &str = "x-signature";
const TIME: &str = "1674087231";
const BODY: &str = r#"{"event":"example"}"#;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../fixtures/asymmetric/", $name)).trim_ascii_end()
    };
}

/// Algorithm, public key, another key of its kind, signature.
const VECTORS: [(SignatureAlgorithm, &str, &str, &str); 3] = [
    (
        SignatureAlgorithm::RsaPkcs1Sha256,
        fixture!("rsa-2048.pub.pem"),
        fixture!("rsa-2048-other.pub.pem"),
        fixture!("rsa-2048.sha256.b64"),
    ),
    (
        SignatureAlgorithm::EcdsaP256Sha256Der,
        fixture!("p256.pub.pem"),
        fixture!("p256-other.pub.pem"),
        fixture!("p256.sha256-der.b64"),
    ),
    (
        SignatureAlgorithm::EcdsaP256Sha256Fixed,
        fixture!("p256.pub.pem"),
        fixture!("p256-other.pub.pem"),
        fixture!("p256.sha256-fixed.b64"),
    ),
];

fn now() -> Timestamp {
    Timestamp::from_second(TIME.parse().unwrap()).unwrap()
}

fn pem(text: &str) -> Secret {
    public_key(text).unwrap()
}

/// What stands in a PEM.
fn der(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with('-'));
    Base64.decode(lines.collect::<String>().as_bytes()).unwrap()
}

fn try_over(algorithm: SignatureAlgorithm, keys: impl Into<KeyRing>) -> Result<Signature, ConfigError> {
    let signed = Signed::new(name(HEADER), Base64).template(Template::parse("{header:x-time}.{body}").unwrap());
    let tolerance = Tolerance::header(name("x-time"), TimeUnit::Seconds);
    Signature::new(algorithm, signed.timestamp(tolerance), keys)
}

fn over(algorithm: SignatureAlgorithm, keys: impl Into<KeyRing>) -> Signature {
    try_over(algorithm, keys).unwrap()
}

fn open(scheme: &Signature, signature: &str, time: &str, body: &[u8]) -> Outcome {
    scheme.open(&headers(&[(HEADER, signature), ("x-time", time)]), body.to_vec().into(), now())
}

#[test]
fn openssls_vectors_open_and_no_flipped_bit_of_them_does() {
    for (algorithm, public, _, signature) in VECTORS {
        let (case, scheme) = (algorithm.name(), over(algorithm, pem(public)));
        let opened = open(&scheme, signature, TIME, BODY.as_bytes()).expect(case);
        assert_eq!((&opened.plaintext[..], opened.key_id.as_deref()), (BODY.as_bytes(), Some("default")), "{case}");
        for flipped in flips(&Base64.decode(signature.as_bytes()).unwrap()) {
            assert_mismatch(case, open(&scheme, &Base64.encode(&flipped), TIME, BODY.as_bytes()));
        }
        for flipped in flips(BODY.as_bytes()) {
            assert_mismatch(case, open(&scheme, signature, TIME, &flipped));
        }
        for other in flips(&der(public)).filter_map(|key| try_over(algorithm, Secret::bytes(key).unwrap()).ok()) {
            assert_mismatch(case, open(&other, signature, TIME, BODY.as_bytes()));
        }
        assert_mismatch(case, open(&scheme, signature, "1674087232", BODY.as_bytes()));
    }
}

#[test]
fn another_key_algorithm_padding_or_digest_does_not_fit() {
    for (algorithm, public, other, signature) in VECTORS {
        assert_mismatch(algorithm.name(), open(&over(algorithm, pem(other)), signature, TIME, BODY.as_bytes()));
        for (_, _, _, another) in VECTORS.iter().filter(|vector| vector.0 != algorithm) {
            assert_mismatch(algorithm.name(), open(&over(algorithm, pem(public)), another, TIME, BODY.as_bytes()));
        }
    }
    let rsa = over(SignatureAlgorithm::RsaPkcs1Sha256, pem(VECTORS[0].1));
    for (case, signature) in [("PSS", fixture!("rsa-2048.pss.b64")), ("SHA-1", fixture!("rsa-2048.sha1.b64"))] {
        assert_mismatch(case, open(&rsa, signature, TIME, BODY.as_bytes()));
    }
}

#[test]
fn no_other_length_and_no_other_encoding_is_taken() {
    for (algorithm, public, _, signature) in VECTORS {
        let (case, scheme) = (algorithm.name(), over(algorithm, pem(public)));
        let bytes = Base64.decode(signature.as_bytes()).unwrap();
        for length in 1..bytes.len() {
            assert_mismatch(case, open(&scheme, &Base64.encode(&bytes[..length]), TIME, BODY.as_bytes()));
        }
        for longer in [[&bytes[..], &[0]].concat(), [&[0], &bytes[..]].concat()] {
            assert_mismatch(case, open(&scheme, &Base64.encode(&longer), TIME, BODY.as_bytes()));
        }
        let hex = Hex.encode(&[0xEE; 33]);
        assert_eq!(kind(open(&scheme, &hex, TIME, BODY.as_bytes())), Some(RejectionKind::HeaderMalformed), "{case}");
        assert_eq!(kind(open(&scheme, "", TIME, BODY.as_bytes())), Some(RejectionKind::SignatureMissing), "{case}");
    }
}

#[test]
fn a_good_signature_is_refused_when_it_is_old() {
    for (algorithm, public, _, signature) in VECTORS {
        let sent = headers(&[(HEADER, signature), ("x-time", TIME)]);
        let scheme = over(algorithm, pem(public));
        let late = now() + std::time::Duration::from_secs(301);
        assert_eq!(kind(scheme.open(&sent, BODY.into(), late)), Some(RejectionKind::TimestampOutside));
    }
}

#[test]
fn of_two_keys_the_one_that_fits_is_named_while_it_is_valid() {
    for (algorithm, public, other, signature) in VECTORS {
        let ring = |end| {
            let old = Key::new("old", pem(public)).not_after(end);
            KeyRing::new([Key::new("new", pem(other)), old]).unwrap()
        };
        let opened = open(&over(algorithm, ring(now())), signature, TIME, BODY.as_bytes()).unwrap();
        assert_eq!(opened.key_id.as_deref(), Some("old"));
        for ring in [ring(Timestamp::MIN), expired(&pem(public))] {
            assert_mismatch("expired", open(&over(algorithm, ring), signature, TIME, BODY.as_bytes()));
        }
    }
}

#[test]
fn a_key_of_another_kind_size_or_form_is_refused() {
    let [rsa, ec] = [
        ConfigError::new(ConfigErrorKind::Encoding("an RSA public key of 2048 to 8192 bits")),
        ConfigError::new(ConfigErrorKind::Encoding("a public key of P-256")),
    ];
    let by_rsa = |der: Vec<u8>| try_over(SignatureAlgorithm::RsaPkcs1Sha256, Secret::bytes(der).unwrap()).err();
    let by_ec = |der: Vec<u8>| {
        let errors = [SignatureAlgorithm::EcdsaP256Sha256Der, SignatureAlgorithm::EcdsaP256Sha256Fixed]
            .map(|algorithm| try_over(algorithm, Secret::bytes(der.clone()).unwrap()).err());
        assert_eq!(errors[0], errors[1]);
        errors[0].clone()
    };
    let (good_rsa, good_ec) = (der(VECTORS[0].1), der(VECTORS[1].1));
    assert_eq!((by_rsa(good_rsa.clone()), by_ec(good_ec.clone())), (None, None));
    assert_eq!((by_ec(good_rsa.clone()), by_rsa(good_ec.clone())), (Some(ec.clone()), Some(rsa.clone())));
    assert_eq!(by_rsa(der(fixture!("rsa-1024.pub.pem"))), Some(rsa.clone()));
    for other in [fixture!("p384.pub.pem"), fixture!("p256-compressed.pub.pem")] {
        assert_eq!(by_ec(der(other)), Some(ec.clone()), "{other}");
    }
    for length in 1..good_rsa.len() {
        assert_eq!(by_rsa(good_rsa[..length].to_vec()), Some(rsa.clone()), "{length}");
    }
    for length in 1..good_ec.len() {
        assert_eq!(by_ec(good_ec[..length].to_vec()), Some(ec.clone()), "{length}");
    }
    assert_eq!(by_rsa([&good_rsa[..], &[0]].concat()), Some(rsa));
    assert_eq!(by_ec([&good_ec[..], &[0]].concat()), Some(ec));
}

#[test]
fn a_key_is_read_from_its_pem_and_nothing_else() {
    let good = VECTORS[1].1;
    assert!(public_key(&format!("\n{}\r\n", good.replace('\n', "\r\n"))).is_ok());
    let refused = ConfigError::new(ConfigErrorKind::Encoding("a public key in PEM or JWK"));
    for (case, text) in [
        ("nothing", String::new()),
        ("no lines around", good.lines().nth(1).unwrap().to_owned()),
        ("another kind", good.replace("PUBLIC", "PRIVATE")),
        ("two", format!("{good}\n{good}")),
        ("a letter too many", good.replacen("MFkw", "MFkwA", 1)),
        ("cut", good[..good.len() - 1].to_owned()),
        ("one marker", "-----BEGIN PUBLIC KEY-----".to_owned()),
    ] {
        assert_eq!(public_key(&text).err(), Some(refused.clone()), "{case}");
    }
    let empty = public_key("-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----");
    assert_eq!(empty.err(), Some(refused));
}

#[test]
fn it_has_a_name_covers_what_its_template_covers_and_seals_nothing() {
    for (algorithm, public, ..) in VECTORS {
        assert_eq!(SignatureAlgorithm::from_name(algorithm.name()), Ok(algorithm));
        let scheme = over(algorithm, pem(public));
        assert!(scheme.covers_body() && scheme.covers_header(&name("x-time")) && !scheme.covers_header(&name("x-id")));
        let refused = scheme.seal("{}".into(), &mut HeaderMap::new(), &Sealing::new(now(), &OsEntropy)).unwrap_err();
        assert_eq!((scheme.name(), refused), (algorithm.name(), SealError::NoValidKey));
    }
    assert_eq!(
        SignatureAlgorithm::from_name("rs256"),
        Err(ConfigError::new(ConfigErrorKind::Algorithm("rs256".into())))
    );
}

/// The URL-safe Base64 of JSON Web Keys.
fn web(bytes: &[u8]) -> String {
    Base64.encode(bytes).replace('+', "-").replace('/', "_").replace('=', "")
}

#[test]
fn a_key_is_read_from_its_jwk_too() {
    let (rsa, ec) = (der(VECTORS[0].1), der(VECTORS[1].1));
    // The modulus of 2048 bits stands behind 33 bytes of head; the exponent is 65537.
    let n = web(&rsa[33..33 + 256]);
    let (x, y) = (web(&ec[27..59]), web(&ec[59..]));
    let good_rsa = format!(r#"{{"kty":"RSA","kid":"1","use":"sig","n":"{n}","e":"AQAB"}}"#);
    let good_ec = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
    for (algorithm, jwk, _, signature) in [
        (VECTORS[0].0, &good_rsa, (), VECTORS[0].3),
        (VECTORS[1].0, &good_ec, (), VECTORS[1].3),
        (VECTORS[2].0, &good_ec, (), VECTORS[2].3),
    ] {
        assert!(open(&over(algorithm, public_key(jwk).unwrap()), signature, TIME, BODY.as_bytes()).is_ok());
    }
    for (case, jwk) in [
        ("private", good_ec.replace("\"kty\"", "\"d\":\"AA\",\"kty\"")),
        ("another curve", good_ec.replace("P-256", "P-384")),
        ("another kind", good_ec.replace("\"EC\"", "\"oct\"")),
        ("twice", good_ec.replacen("{", "{\"kty\":\"EC\",", 1)),
        ("padding", good_ec.replace(&x, &format!("{x}="))),
        ("short", good_ec.replace(&x, &x[..40])),
        ("no y", good_ec.replace("\"y\"", "\"z\"")),
        ("a small modulus", good_rsa.replace(&n, &n[..171])),
        ("not JSON", good_ec.replace('}', "")),
    ] {
        assert_eq!(
            public_key(&jwk).err(),
            Some(ConfigError::new(ConfigErrorKind::Encoding("a public key in PEM or JWK"))),
            "{case}"
        );
    }
}

#[test]
fn an_ed25519_key_is_read_from_pem_and_jwk_as_from_its_bytes() {
    // RFC 8032, section 7.1, test 2.
    let raw = Hex.decode(b"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").unwrap();
    let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        Base64.encode(&[&Hex.decode(b"302a300506032b6570032100").unwrap()[..], &raw].concat())
    );
    let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, web(&raw));
    for (case, key) in [
        ("raw", Secret::bytes(raw.clone()).unwrap()),
        ("pem", public_key(&pem).unwrap()),
        ("jwk", public_key(&jwk).unwrap()),
    ] {
        let scheme = Ed25519::new(Signed::new(name(HEADER), Hex), key).unwrap();
        let open = |body: &'static [u8]| scheme.open(&headers(&[(HEADER, signature)]), body.into(), now());
        assert!(open(b"\x72").is_ok(), "{case}");
        assert_mismatch(case, open(b"\x73"));
    }
    assert!(try_over(SignatureAlgorithm::RsaPkcs1Sha256, public_key(&pem).unwrap()).is_err());
}
