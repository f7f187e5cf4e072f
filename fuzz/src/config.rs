//! Configuration files.

use tower_webhook::config::read_text;

/// A text is a configuration or has faults, each with a place; and what is read can be built, or says why not.
pub fn text(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match read_text("fuzz.toml", text) {
        Err(faults) => assert!(!faults.to_string().is_empty() && faults.iter().count() > 0),
        // A secret in a file would be read, and the file may be any.
        Ok(_) if text.contains("file") => {}
        Ok(spec) => match spec.build() {
            Err(faults) => assert!(faults.iter().count() > 0),
            Ok(config) => {
                for endpoint in &config.endpoints {
                    // What the one cannot build is said by the other.
                    config.receiver(endpoint).map(drop).unwrap_or_default();
                }
            }
        },
    }
}
