//! Result codes: what became of a payment, by the groups that the platform publishes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::{PaymentClass, Text};

/// A result code such as `000.100.110`.
///
/// Its group follows the patterns of the platform's reference page "Result codes" as it stands in 2026
/// (<https://hyperpay.docs.oppwa.com/reference/resultCodes>,
/// <https://docs.aciworldwide.com/reference/resultCodes>; read second hand). Editions differ: the present one counts
/// `000.400.110` and `000.400.120` (3-D Secure without a challenge) as success, older ones as success to be reviewed or
/// not at all, and older ones do not know [`ResultGroup::RetryBlocked`].
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ResultCode(Text);

impl ResultCode {
    /// The code as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The published group.
    #[must_use]
    pub fn group(&self) -> ResultGroup {
        GROUPS
            .iter()
            .find(|(_, patterns)| patterns.iter().any(|pattern| begins(&self.0, pattern)))
            .map_or(ResultGroup::Unlisted, |(group, _)| *group)
    }

    /// The group in the shared vocabulary. A code in no published group is `Other("unknown")`, never a success.
    #[must_use]
    pub fn class(&self) -> PaymentClass {
        match self.group() {
            ResultGroup::Success => PaymentClass::Success,
            ResultGroup::Review => PaymentClass::Review,
            ResultGroup::Pending | ResultGroup::PendingLong => PaymentClass::Pending,
            ResultGroup::Chargeback => PaymentClass::Chargeback,
            ResultGroup::Unlisted => unknown(),
            _ => PaymentClass::Rejected,
        }
    }

    /// Whether the code is a success of the platform's test modes (`000.100.110` to `000.100.112`): no money moved.
    #[must_use]
    pub fn is_test_mode(&self) -> bool {
        matches!(&*self.0, "000.100.110" | "000.100.111" | "000.100.112")
    }
}

impl From<&str> for ResultCode {
    fn from(code: &str) -> Self {
        Self(code.into())
    }
}

impl From<&ResultCode> for Text {
    fn from(code: &ResultCode) -> Self {
        code.0.clone()
    }
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The class of a payment that carries no code, or one that nobody published.
pub(super) fn unknown() -> PaymentClass {
    PaymentClass::Other("unknown".into())
}

macro_rules! groups {
    ($($(#[$doc:meta])* $group:ident [$($pattern:literal)*],)*) => {
        /// The groups of result codes that the platform publishes.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum ResultGroup {
            $($(#[$doc])* $group,)*
            /// In no published group.
            Unlisted,
        }

        /// Patterns as on the page, `[..]` for one of these digits. The first group that fits is the code's, so a
        /// group whose pattern lies inside another's stands before it.
        const GROUPS: &[(ResultGroup, &[&str])] = &[$((ResultGroup::$group, &[$($pattern),*]),)*];
    };
}

groups! {
    /// Processed.
    Success ["000.000." "000.100.1" "000.[36]" "000.400.1[12]0"],
    /// Processed, and a person should look at it.
    Review ["000.400.0[012456789]" "000.400.100"],
    /// Not decided: an open session, settled within half an hour.
    Pending ["000.200"],
    /// Not decided: it may take several days.
    PendingLong ["800.400.5" "100.400.500"],
    /// Charged back.
    Chargeback ["000.100.2"],
    /// Refused by 3-D Secure and Intercard risk checks.
    RiskCheck ["000.400.1[0123456789][123456789]" "000.400.2"],
    /// Refused by the bank or a similar payment system.
    Bank ["800.[17]00" "800.800.[123]"],
    /// A fault of communication. Some say that the result is uncertain (`900.100.300`): ask before a second try.
    Communication ["900.[1234]00" "000.400.030"],
    /// A fault inside the platform.
    System ["800.[56]" "999." "600.1" "800.800.[84]"],
    /// A fault in an asynchronous workflow, such as a payer who went away.
    Asynchronous ["100.39[765]"],
    /// A soft decline: the bank wants the payer's authentication.
    SoftDecline ["300.100.100"],
    /// Refused by the address check.
    AddressCheck ["800.400.1"],
    /// Refused by 3-D Secure.
    ThreeDSecure ["800.400.2" "100.380.4" "100.390"],
    /// Malformed data of risk management.
    RiskManagement ["100.380.[23]" "100.380.101"],
    /// Refused by an external risk system.
    ExternalRisk ["100.400.[0123]" "100.38" "100.370.100" "100.370.11"],
    /// On a blacklist.
    Blacklist ["100.100.701" "800.[32]"],
    /// Refused by risk rules.
    RiskRules ["800.1[123456]0"],
    /// The merchant's or channel's configuration.
    Configuration ["600.[23]" "500.[12]" "800.121"],
    /// The registration that the payment refers to.
    Registration ["100.[13]50"],
    /// A scheduled job.
    Job ["100.250" "100.360"],
    /// The payment that this one refers to.
    Reference ["700.[1345][05]0"],
    /// Another try is blocked by the scheme's advice. In the page of 2026 only.
    RetryBlocked ["700.600" "700.601"],
    /// The format of the request.
    Format ["200.[123]" "100.[53][07]" "800.900" "100.[69]00.500"],
    /// The address.
    Address ["100.800"],
    /// Name, e-mail or telephone.
    Contact ["100.[97]00"],
    /// Card or bank account.
    Account ["100.100" "100.2[01]"],
    /// Amount or currency.
    Amount ["100.55"],
}

/// Whether the code begins as the pattern says.
fn begins(code: &str, pattern: &str) -> bool {
    let mut code = code.chars();
    let mut pattern = pattern.chars();
    while let Some(wanted) = pattern.next() {
        let Some(found) = code.next() else { return false };
        let fits = match wanted {
            // The whole class has to be taken off the pattern, so no `any` here.
            '[' => pattern.by_ref().take_while(|one| *one != ']').filter(|one| *one == found).count() > 0,
            _ => wanted == found,
        };
        if !fits {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_codes_fall_into_their_published_groups() {
        for (code, group) in [
            ("000.000.000", ResultGroup::Success),
            ("000.000.100", ResultGroup::Success),
            ("000.100.105", ResultGroup::Success),
            ("000.100.110", ResultGroup::Success),
            ("000.100.111", ResultGroup::Success),
            ("000.100.112", ResultGroup::Success),
            ("000.300.000", ResultGroup::Success),
            ("000.310.110", ResultGroup::Success),
            ("000.600.000", ResultGroup::Success),
            ("000.400.110", ResultGroup::Success),
            ("000.400.120", ResultGroup::Success),
            ("000.400.000", ResultGroup::Review),
            ("000.400.010", ResultGroup::Review),
            ("000.400.020", ResultGroup::Review),
            ("000.400.040", ResultGroup::Review),
            ("000.400.090", ResultGroup::Review),
            ("000.400.100", ResultGroup::Review),
            ("000.200.000", ResultGroup::Pending),
            ("000.200.103", ResultGroup::Pending),
            ("800.400.500", ResultGroup::PendingLong),
            ("100.400.500", ResultGroup::PendingLong),
            ("000.100.200", ResultGroup::Chargeback),
            ("000.100.220", ResultGroup::Chargeback),
            ("000.400.101", ResultGroup::RiskCheck),
            ("000.400.108", ResultGroup::RiskCheck),
            ("000.400.200", ResultGroup::RiskCheck),
            ("800.100.152", ResultGroup::Bank),
            ("800.700.100", ResultGroup::Bank),
            ("800.800.102", ResultGroup::Bank),
            ("900.100.300", ResultGroup::Communication),
            ("000.400.030", ResultGroup::Communication),
            ("800.500.100", ResultGroup::System),
            ("800.800.400", ResultGroup::System),
            ("800.800.800", ResultGroup::System),
            ("999.999.999", ResultGroup::System),
            ("600.100.100", ResultGroup::System),
            ("100.396.103", ResultGroup::Asynchronous),
            ("100.397.101", ResultGroup::Asynchronous),
            ("300.100.100", ResultGroup::SoftDecline),
            ("800.400.100", ResultGroup::AddressCheck),
            ("800.400.200", ResultGroup::ThreeDSecure),
            ("100.380.401", ResultGroup::ThreeDSecure),
            ("100.390.112", ResultGroup::ThreeDSecure),
            ("100.380.201", ResultGroup::RiskManagement),
            ("100.380.501", ResultGroup::ExternalRisk),
            ("100.400.000", ResultGroup::ExternalRisk),
            ("100.370.111", ResultGroup::ExternalRisk),
            ("100.100.701", ResultGroup::Blacklist),
            ("800.300.101", ResultGroup::Blacklist),
            ("800.110.100", ResultGroup::RiskRules),
            ("800.121.100", ResultGroup::Configuration),
            ("600.200.100", ResultGroup::Configuration),
            ("500.100.201", ResultGroup::Configuration),
            ("100.150.100", ResultGroup::Registration),
            ("100.250.100", ResultGroup::Job),
            ("700.300.200", ResultGroup::Reference),
            ("700.100.200", ResultGroup::Reference),
            ("700.400.530", ResultGroup::Reference),
            ("700.600.002", ResultGroup::RetryBlocked),
            ("200.100.101", ResultGroup::Format),
            ("100.500.101", ResultGroup::Format),
            ("100.600.500", ResultGroup::Format),
            ("100.900.500", ResultGroup::Format),
            ("100.800.100", ResultGroup::Address),
            ("100.700.101", ResultGroup::Contact),
            ("100.900.100", ResultGroup::Contact),
            ("100.100.303", ResultGroup::Account),
            ("100.210.101", ResultGroup::Account),
            ("100.550.300", ResultGroup::Amount),
        ] {
            assert_eq!(ResultCode::from(code).group(), group, "{code}");
        }
    }

    #[test]
    fn a_code_that_nobody_published_is_no_success() {
        for code in
            ["", "0", "000", "000.", "000.400.1", "000.400.03", "000.400.130", "0000.000.000", "000.500.000", "abc"]
        {
            assert_eq!(ResultCode::from(code).group(), ResultGroup::Unlisted, "{code}");
            assert_eq!(ResultCode::from(code).class().as_str(), "unknown", "{code}");
        }
    }

    #[test]
    fn every_group_has_one_class() {
        for (code, class) in [
            ("000.000.000", PaymentClass::Success),
            ("000.400.000", PaymentClass::Review),
            ("000.200.000", PaymentClass::Pending),
            ("800.400.500", PaymentClass::Pending),
            ("000.100.200", PaymentClass::Chargeback),
            ("000.400.030", PaymentClass::Rejected),
            ("000.400.101", PaymentClass::Rejected),
            ("800.100.152", PaymentClass::Rejected),
            ("999.999.999", PaymentClass::Rejected),
        ] {
            assert_eq!(ResultCode::from(code).class(), class, "{code}");
        }
    }

    #[test]
    fn a_success_in_test_mode_says_so() {
        assert!(ResultCode::from("000.100.112").is_test_mode());
        assert!(!ResultCode::from("000.100.106").is_test_mode());
    }
}
