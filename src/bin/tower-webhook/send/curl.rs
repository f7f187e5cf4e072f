//! `--dry-run`: the line of curl that would send exactly this.
//!
//! What is sensitive is not in it: curl asks for a password, or the shell takes it from its variable.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request};
use tower_webhook::encoding::Encoding;

use super::args::DeliveryOptions;
use super::sealer::Sealer;
use super::shell::quoted;

/// The longest text in one argument of a program: Linux takes 128 KiB.
const MAX_ARGUMENT: usize = 100 * 1024;

/// A command for any POSIX shell.
///
/// # Errors
///
/// One line: what cannot be written as a command.
pub(crate) fn line(
    sealer: &Sealer,
    request: &Request<Bytes>,
    to: &str,
    delivery: &DeliveryOptions,
) -> Result<String, String> {
    let mut options = format!("--globoff --noproxy '*' -i {}", quoted(to));
    for (option, file) in [("--cacert", &delivery.ca), ("--cert", &delivery.cert), ("--key", &delivery.cert_key)] {
        if let Some(file) = file {
            let _ = write!(options, " {option} {}", quoted(&file.display().to_string()));
        }
    }
    if request.method() != Method::POST {
        let _ = write!(options, " -X {}", quoted(request.method().as_str()));
    }
    if !request.headers().contains_key(CONTENT_TYPE) {
        options.push_str(" \\\n  -H 'content-type:'");
    }
    for (name, value) in request.headers() {
        let _ = write!(options, " \\\n  {}", header(sealer, name, value)?);
    }
    let body = request.body();
    Ok(match std::str::from_utf8(body) {
        Ok(text) if text.len() < MAX_ARGUMENT && !text.starts_with('@') && !text.contains('\0') => {
            format!("curl {options} \\\n  --data-binary {}\n", quoted(text))
        }
        _ => {
            let text = Encoding::Base64.encode(body);
            format!("printf %s {} | base64 -d |\ncurl {options} \\\n  --data-binary @-\n", quoted(&text))
        }
    })
}

fn header(sealer: &Sealer, name: &HeaderName, value: &HeaderValue) -> Result<String, String> {
    if !value.is_sensitive() {
        let text = std::str::from_utf8(value.as_bytes());
        let text = text.map_err(|_| format!("--dry-run: header {name} is not UTF-8; send it without --dry-run"))?;
        // curl takes `name:` for "leave it out", and `name;` for an empty value.
        let line = if text.is_empty() { format!("{name};") } else { format!("{name}: {text}") };
        return Ok(format!("-H {}", quoted(&line)));
    }
    if sealer.tamper.is_some_and(|what| sealer.damaged(what).is_ok_and(|damaged| damaged == name)) {
        return Err(format!("--dry-run: header {name} is a secret, and so it is with one bit flipped"));
    }
    match &sealer.sending.credentials {
        Some(pair) if *name == AUTHORIZATION => Ok(match pair.env.as_deref().filter(|name| is_variable(name)) {
            Some(variable) => format!("-u {}\"${{{variable}}}\"", quoted(&format!("{}:", pair.username))),
            None => format!("-u {}", quoted(&pair.username)),
        }),
        _ => {
            let variable = sealer.sending.key.as_ref().and_then(|key| key.env.as_deref());
            let variable = variable.filter(|name| is_variable(name)).unwrap_or("KEY");
            Ok(format!("-H {}\"${{{variable}:?set it to the key}}\"", quoted(&format!("{name}: "))))
        }
    }
}

fn is_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.starts_with(|first: char| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_told_from_what_a_shell_would_do() {
        for (name, is) in
            [("MAMBU_PASSWORD", true), ("_1", true), ("1A", false), ("", false), ("A;b", false), ("A-B", false)]
        {
            assert_eq!(is_variable(name), is, "{name}");
        }
    }
}
