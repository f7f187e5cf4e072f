//! Signatures that this crate verifies and never makes. OpenSSL 3.0.19 has made those of `tests/fixtures/asymmetric/`, over
//! `1674087231.{"event":"example"}`.

use tower_webhook::RejectionKind::SignatureMismatch;

use super::{Case, Seals, Sender};

const TIME: &str = "1674087231";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/asymmetric/", $name))
    };
}

/// A receiver of signatures by this algorithm, under the key in this file.
macro_rules! toml {
    ($algorithm:literal, $key:literal) => {
        concat!(
            "[[endpoint]]\npath = \"/signed\"\nprovider = \"custom\"\nscheme = { signature = \"",
            $algorithm,
            "\", header = \"x-signature\", encoding = \"base64\", signed = \"{header:x-time}.{body}\" }\n",
            "timestamp = { header = \"x-time\", unit = \"s\", past = \"5m\", future = \"5m\" }\n",
            "key = { header = \"x-time\" }\nevent = { json = \"/event\" }\n\n",
            "[[endpoint.keys]]\nid = \"test\"\nencoding = \"pem\"\nvalue = \"\"\"\n",
            include_str!(concat!("../../../../tests/fixtures/asymmetric/", $key)),
            "\"\"\"\n"
        )
    };
}

const RSA: &str = toml!("rsa-pkcs1-sha256", "rsa-2048.pub.pem");
const ECDSA_DER: &str = toml!("ecdsa-p256-sha256-der", "p256.pub.pem");
const ECDSA_FIXED: &str = toml!("ecdsa-p256-sha256-fixed", "p256.pub.pem");

pub(super) fn all() -> Vec<Sender> {
    let rsa = fixture!("rsa-2048.sha256.b64");
    let (der, fixed) = (fixture!("p256.sha256-der.b64"), fixture!("p256.sha256-fixed.b64"));
    let paddings = [("other-padding", fixture!("rsa-2048.pss.b64")), ("other-digest", fixture!("rsa-2048.sha1.b64"))];
    vec![
        sender("custom_rsa", RSA, rsa, &paddings),
        sender("custom_ecdsa_der", ECDSA_DER, der, &[("other-form", fixed)]),
        sender("custom_ecdsa_fixed", ECDSA_FIXED, fixed, &[("other-form", der)]),
    ]
}

fn sender(
    name: &'static str,
    toml: &'static str,
    signature: &'static str,
    others: &[(&'static str, &'static str)],
) -> Sender {
    let mut refused = vec![(case("other-time", "1674087232", signature), SignatureMismatch)];
    refused.extend(others.iter().map(|(name, other)| (case(name, TIME, other), SignatureMismatch)));
    let cases = vec![case("example", TIME, signature)];
    Sender { name, toml, seals: Seals::Recorded(1_674_087_231), other_key: "", cases, refused }
}

fn case(name: &'static str, time: &'static str, signature: &'static str) -> Case {
    Case::new(name, r#"{"event":"example"}"#).header("x-time", time).header("x-signature", signature.trim_ascii_end())
}
