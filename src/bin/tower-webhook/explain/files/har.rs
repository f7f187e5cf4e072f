//! One request out of an HTTP archive, as browsers and proxies write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{HeaderName, TRANSFER_ENCODING};
use http::{Method, Uri};
use serde::Deserialize;

use super::Captured;
use super::framing::note_length;
use super::raw::{head, insert};

#[derive(Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: Recorded,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct PostData {
    text: Option<String>,
    encoding: Option<String>,
}

/// The entry of this number, counted from 1, or the first POST.
pub(in crate::explain) fn har(bytes: &[u8], entry: Option<usize>) -> Result<Captured, String> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let archive: Archive = serde_json::from_slice(bytes).map_err(|fault| {
        // The fault's own words may quote the archive.
        format!(
            "this is not an HTTP archive: line {}, column {}; give a HAR file by --har",
            fault.line(),
            fault.column()
        )
    })?;
    let entries = archive.log.entries;
    let count = entries.len();
    let mut requests = entries.into_iter().map(|entry| entry.request);
    let found = match entry {
        Some(number) => number.checked_sub(1).and_then(|at| requests.nth(at)),
        None => requests.find(|request| request.method.eq_ignore_ascii_case("POST")),
    };
    let request = found.ok_or_else(|| match entry {
        Some(number) => format!("--entry {number}: the archive has {count} entries, counted from 1"),
        None => format!("none of the {count} entries of the archive is a POST: choose one with --entry"),
    })?;
    recorded(request)
}

fn recorded(request: Recorded) -> Result<Captured, String> {
    let method: Method = request.method.parse().map_err(|_| "the method of the entry is none".to_owned())?;
    let target: Uri = request.url.parse().map_err(|_| "the url of the entry is none".to_owned())?;
    let mut head = head(method, target)?;
    // HTTP/2 has its request line among the headers.
    let headers = request.headers.iter().filter(|header| !header.name.starts_with(':'));
    for (number, header) in (1..).zip(headers) {
        let wrong = |why: &str| format!("header {number} of the entry {why}");
        let name: HeaderName = header.name.parse().map_err(|_| wrong("has no name of a header"))?;
        insert(&mut head.headers, name, header.value.as_bytes()).map_err(wrong)?;
    }
    let mut notes = Vec::new();
    let mut altered = None;
    let body = match request.post_data {
        None => {
            notes.push("the entry has no postData: there is no body".to_owned());
            Bytes::new()
        }
        Some(data) => {
            let text = data.text.unwrap_or_default();
            if text.contains('\u{FFFD}') {
                altered = Some("the archive has lost bytes that are no text (U+FFFD stands for them)".to_owned());
            }
            match data.encoding.as_deref() {
                None | Some("") => text.into(),
                Some("base64") => {
                    STANDARD.decode(text).map_err(|_| "the postData of the entry is not Base64".to_owned())?.into()
                }
                Some(_) => return Err("the postData of the entry has an unknown encoding".to_owned()),
            }
        }
    };
    let has_length = !head.headers.contains_key(TRANSFER_ENCODING);
    let mut request = Captured { altered, ..Captured::new(head, body, notes) };
    if has_length {
        note_length(&mut request);
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARCHIVE: &str = r#"{"log":{"entries":[
        {"request":{"method":"GET","url":"https://a.example/x","headers":[]}},
        {"request":{"method":"POST","url":"https://a.example/hook","headers":[{"name":":path","value":"/"},
            {"name":"X-A","value":"1"}],"postData":{"mimeType":"","text":"YWI=","encoding":"base64"}}},
        {"request":{"method":"PUT","url":"/put","postData":{"text":"{}"}}}]}}"#;

    #[test]
    fn the_first_post_is_taken_or_the_one_asked_for() {
        for (entry, path, body, headers) in
            [(None, "/hook", "ab", 1), (Some(3), "/put", "{}", 0), (Some(1), "/x", "", 0)]
        {
            let request = har(ARCHIVE.as_bytes(), entry).map_err(|fault| panic!("{fault}")).unwrap();
            assert_eq!((request.head.uri.path(), &*request.body), (path, body.as_bytes()), "{entry:?}");
            assert_eq!(request.head.headers.len(), headers, "{entry:?}");
        }
        for (text, entry, wrong) in [
            (ARCHIVE, Some(0), "has 3 entries"),
            (ARCHIVE, Some(4), "has 3 entries"),
            (r#"{"log":{"entries":[]}}"#, None, "none of the 0 entries"),
            (r#"{"canary":"canary"}"#, None, "not an HTTP archive: line 1"),
        ] {
            let fault = har(text.as_bytes(), entry).map(drop).unwrap_err();
            assert!(fault.contains(wrong) && !fault.contains("canary"), "{fault}");
        }
    }
}
