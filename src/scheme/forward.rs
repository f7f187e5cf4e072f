//! A scheme that is another one inside.

use super::Scheme;

/// Implements `Scheme` by asking what stands inside for every answer.
macro_rules! forward_scheme {
    ($outside:ty, $this:ident => $inside:expr) => {
        impl $crate::scheme::Scheme for $outside {
            fn name(&$this) -> &'static str {
                $inside.name()
            }

            fn proves_sender(&$this) -> bool {
                $inside.proves_sender()
            }

            fn covers_body(&$this) -> bool {
                $inside.covers_body()
            }

            fn covers_header(&$this, name: &http::HeaderName) -> bool {
                $inside.covers_header(name)
            }

            fn proofs(&$this) -> &$crate::scheme::Proofs {
                $inside.proofs()
            }

            fn proof_headers(&$this) -> &[http::HeaderName] {
                $inside.proof_headers()
            }

            fn tolerance(&$this) -> Option<&$crate::scheme::Tolerance> {
                $inside.tolerance()
            }

            fn check_head(&$this, headers: &http::HeaderMap) -> Result<(), $crate::error::Rejection> {
                $inside.check_head(headers)
            }

            fn open(
                &$this,
                headers: &http::HeaderMap,
                body: bytes::Bytes,
                now: jiff::Timestamp,
            ) -> Result<$crate::scheme::Opened, $crate::error::Rejection> {
                $inside.open(headers, body, now)
            }

            fn seal(
                &$this,
                plaintext: bytes::Bytes,
                headers: &mut http::HeaderMap,
                with: &$crate::scheme::Sealing<'_>,
            ) -> Result<bytes::Bytes, $crate::scheme::SealError> {
                $inside.seal(plaintext, headers, with)
            }

            fn key_checks(&$this) -> Vec<$crate::secret::KeyCheck> {
                $inside.key_checks()
            }
        }
    };
}

pub(super) use forward_scheme;

// A scheme that is chosen at run time.
forward_scheme!(Box<dyn Scheme>, self => (**self));
