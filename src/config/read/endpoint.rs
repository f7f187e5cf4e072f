//! One `[[endpoint]]`.

use std::path::Path;

use super::provider;
use super::secret::{credentials, keys};
use super::section::Section;
use crate::config::spec::{
    CandidateSpec, EndpointSpec, ForwardSpec, MambuSpec, ProviderSpec, RateLimitSpec, SourcesSpec,
};
use crate::gate::Compression;
use crate::idempotency::Mismatch;

/// What stands for a provider that could not be read.
fn unread() -> ProviderSpec {
    ProviderSpec::Mambu(MambuSpec::default())
}

pub(super) fn read(section: &Section<'_>, folder: &Path) -> EndpointSpec {
    let path = section.needed("path", "write where it listens, such as \"/aella\"");
    let provider = provider::read(section);
    let is_provider_read = provider.is_some();
    let mut spec = EndpointSpec::new(path.unwrap_or_default(), provider.unwrap_or_else(unread));
    spec.name = section.text("name").map(str::to_owned);
    spec.keys = keys(section, folder);
    spec.candidate = section.section("candidate").map(|section| candidate(&section, folder));
    spec.basic_auth = credentials(section, folder);
    (spec.sources, spec.rate_limit) = around(section);
    spec.max_body = section.size("max_body");
    spec.compression = compression(section);
    spec.retention = section.some_time("retention");
    spec.on_mismatch = on_mismatch(section);
    spec.dangerous_run_unprotected = section.truth("dangerous_run_unprotected").unwrap_or(false);
    spec.quiet_payloads = section.truth("quiet_payloads");
    spec.forward = forward(section, folder);
    // What else a provider knows that could not be read is not known either.
    if is_provider_read {
        section.finish();
    }
    spec
}

fn candidate(section: &Section<'_>, folder: &Path) -> CandidateSpec {
    let (provider, keys) = (provider::read(section), keys(section, folder));
    if provider.is_some() {
        section.finish();
    }
    CandidateSpec::new(provider.unwrap_or_else(unread), keys)
}

fn on_mismatch(section: &Section<'_>) -> Mismatch {
    let words = |text: &str| match text {
        "refuse" => Some(Mismatch::Refuse),
        "acknowledge" => Some(Mismatch::AcknowledgeUnhandled),
        _ => None,
    };
    section.word("on_mismatch", Mismatch::Refuse, words, "write \"refuse\" or \"acknowledge\"")
}

fn compression(section: &Section<'_>) -> Compression {
    let words = |text: &str| match text {
        "refuse" => Some(Compression::Refuse),
        "signed_as_sent" => Some(Compression::SignedAsSent),
        "signed_plain" => Some(Compression::SignedPlain),
        _ => None,
    };
    let right = "write \"refuse\", \"signed_as_sent\" or \"signed_plain\"";
    section.word("gzip", Compression::Refuse, words, right)
}

/// What asks for the sender's address.
fn around(section: &Section<'_>) -> (Option<SourcesSpec>, Option<RateLimitSpec>) {
    let hops = section.count("trusted_proxies").unwrap_or(0);
    let networks = section.texts("sources");
    if hops > 0 && !section.has("sources") && !section.has("rate_limit") {
        let right = "write sources = [\"192.0.2.0/24\"] or rate_limit too";
        section.fault("trusted_proxies", "has no effect without sources or rate_limit", right);
    }
    let sources = networks.map(|networks| SourcesSpec { trusted_proxies: hops, ..SourcesSpec::new(networks) });
    let rate = section.section("rate_limit").map(|rate| RateLimitSpec { trusted_proxies: hops, ..rate_limit(&rate) });
    (sources, rate)
}

/// A number that is missing is 0, which is a fault by itself when it is built.
fn rate_limit(section: &Section<'_>) -> RateLimitSpec {
    let number = |key| section.count(key).map_or(0, |number| u32::try_from(number).unwrap_or(u32::MAX));
    let spec = RateLimitSpec::new(number("per_second"), number("burst"));
    section.finish();
    spec
}

fn forward(section: &Section<'_>, folder: &Path) -> Option<ForwardSpec> {
    let timeout = section.some_time("forward_timeout");
    let pass_gone = section.truth("pass_gone").unwrap_or(false);
    let dangerous_in_clear = section.truth("dangerous_forward_in_clear").unwrap_or(false);
    let ca = section.text("forward_ca").map(|path| folder.join(path));
    let given = [
        ("forward_timeout", timeout.is_some()),
        ("pass_gone", pass_gone),
        ("dangerous_forward_in_clear", dangerous_in_clear),
        ("forward_ca", ca.is_some()),
    ];
    for (key, _) in given.iter().filter(|(_, is_said)| *is_said && !section.has("forward_to")) {
        section.fault(key, "has no effect without forward_to", "write forward_to too, or leave it out");
    }
    let usual = ForwardSpec::new(section.text("forward_to")?);
    Some(ForwardSpec { timeout: timeout.unwrap_or(usual.timeout), pass_gone, ca, dangerous_in_clear, ..usual })
}
