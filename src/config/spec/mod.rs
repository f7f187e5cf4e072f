//! What a configuration says, as plain types: read from a file, or made and changed by hand.
//!
//! Nothing is checked here beyond what the types say; [`ConfigSpec::build`] and [`EndpointSpec::build`] check all of it.

mod custom;
mod endpoint;
mod file;
mod inbox;
mod provider;
mod secret;

pub use custom::{CustomSpec, ProofSpec, SchemeSpec, SignatureLayout, SignedSpec, TimestampPlace, TimestampSpec};
pub use endpoint::{CandidateSpec, EndpointSpec, ForwardSpec, RateLimitSpec, SourcesSpec};
pub use file::{ConfigSpec, DedupeSpec, RedisSpec, StoreSpec, TlsClientSpec, TlsSpec, WaitSpec};
pub use inbox::{InboxRetentionSpec, InboxSpec, InboxStoreSpec, PostgresSpec, QuotaSpec, RetrySpec};
pub use provider::{AellaSpec, BankingCircleSpec, MambuSpec, OppSpec, ProviderSpec, SibsSpec, StandardWebhooksSpec};
pub use secret::{CredentialsSpec, KeyEncoding, KeySpec, SecretError, SecretSource, SecretText};
