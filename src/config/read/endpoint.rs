//! One `[[endpoint]]`.

use std::path::Path;

use super::provider;
use super::secret::{credentials, keys};
use super::section::Section;
use crate::config::spec::{EndpointSpec, ForwardSpec, MambuSpec, ProviderSpec, SourcesSpec};
use crate::idempotency::Mismatch;

/// An endpoint as far as it could be read.
pub(super) struct Draft {
    pub(super) spec: EndpointSpec,
    /// If not, another stands in its place.
    pub(super) is_provider_read: bool,
}

pub(super) fn read(section: &Section<'_>, folder: &Path) -> Draft {
    let path = section.needed("path", "write where it listens, such as \"/aella\"");
    let provider = provider::read(section);
    let is_provider_read = provider.is_some();
    let provider = provider.unwrap_or(ProviderSpec::Mambu(MambuSpec::default()));
    let mut spec = EndpointSpec::new(path.unwrap_or_default(), provider);
    spec.name = section.text("name").map(str::to_owned);
    spec.keys = keys(section, folder);
    spec.basic_auth = credentials(section, folder);
    spec.sources = sources(section);
    spec.max_body = section.size("max_body");
    spec.retention = section.some_time("retention");
    spec.on_mismatch = on_mismatch(section);
    spec.dangerous_run_unprotected = section.truth("dangerous_run_unprotected").unwrap_or(false);
    spec.quiet_payloads = section.truth("quiet_payloads");
    spec.forward = forward(section);
    // What else a provider knows that could not be read is not known either.
    if is_provider_read {
        section.finish();
    }
    Draft { spec, is_provider_read }
}

fn on_mismatch(section: &Section<'_>) -> Mismatch {
    let words = |text: &str| match text {
        "refuse" => Some(Mismatch::Refuse),
        "acknowledge" => Some(Mismatch::AcknowledgeUnhandled),
        _ => None,
    };
    section.word("on_mismatch", Mismatch::Refuse, words, "write \"refuse\" or \"acknowledge\"")
}

fn sources(section: &Section<'_>) -> Option<SourcesSpec> {
    let hops = section.count("trusted_proxies").unwrap_or(0);
    let networks = section.texts("sources");
    if hops > 0 && !section.has("sources") {
        section.fault("trusted_proxies", "has no effect without sources", "write sources = [\"192.0.2.0/24\"] too");
    }
    networks.map(|networks| SourcesSpec { trusted_proxies: hops, ..SourcesSpec::new(networks) })
}

fn forward(section: &Section<'_>) -> Option<ForwardSpec> {
    let timeout = section.some_time("forward_timeout");
    let pass_gone = section.truth("pass_gone").unwrap_or(false);
    let dangerous_in_clear = section.truth("dangerous_forward_in_clear").unwrap_or(false);
    let usual = ForwardSpec::new(section.text("forward_to")?);
    Some(ForwardSpec { timeout: timeout.unwrap_or(usual.timeout), pass_gone, dangerous_in_clear, ..usual })
}
