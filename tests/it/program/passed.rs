//! What goes on to the upstream of a delivery: its body and its type as they came, and no word of where it came from.

use super::child::{Folder, Listener};
use super::upstream::Upstream;
use super::wire::Raw;

const OK: &str = "200 OK\r\ncontent-length: 0";

/// An endpoint whose deliveries are told apart by a header, with this in it and this before.
fn config(to: &str, endpoint: &str, more: &str) -> String {
    format!(
        "{more}\n[[endpoint]]\npath = \"/x\"\nprovider = \"custom\"\n\
         keys = [{{ id = \"k\", value = \"an example of a secret\" }}]\n\
         scheme = {{ token = true, header = \"x-token\" }}\nkey = {{ header = \"x-id\" }}\n\
         forward_to = \"http://{to}/\"\n{endpoint}\n"
    )
}

fn raw(id: usize, body: &str, headers: &[(&str, &str)]) -> Raw {
    let id = id.to_string();
    let own = [("x-token", "an example of a secret"), ("x-id", &id)];
    let headers: Vec<_> = own.iter().chain(headers).map(|(name, value)| (*name, (*value).to_owned())).collect();
    Raw::new("/x", &headers, body)
}

/// What the upstream got for each of these, in lower case: values of this header.
fn passed(config: &str, upstream: &Upstream, sent: &[Raw], name: &str) -> Vec<Vec<String>> {
    let listener = Listener::start(config);
    let one = |raw: &Raw| {
        upstream.answers.send(OK).unwrap();
        assert_eq!(raw.send(listener.address()).status, 200);
        let seen = upstream.seen.recv().unwrap().to_ascii_lowercase();
        let (head, _) = seen.split_once("\r\n\r\n").unwrap();
        head.lines().filter_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned)).collect()
    };
    sent.iter().map(one).collect()
}

fn stored(folder: &Folder) -> String {
    format!("[inbox]\nkind = \"sqlite\"\npath = \"{}\"\n", folder.path().join("inbox.db").display())
}

#[test]
fn a_body_says_how_long_it_is_and_an_empty_one_too() {
    let (upstream, folder) = (Upstream::start(), Folder::new());
    let sent = [raw(0, "", &[]), raw(1, "{}", &[])];
    for more in [String::new(), stored(&folder)] {
        let lengths = passed(&config(&upstream.address, "", &more), &upstream, &sent, "content-length");
        assert_eq!(lengths, [["0"], ["2"]], "{more}");
    }
}

#[test]
fn a_body_goes_on_as_what_it_was_sent_as_out_of_an_inbox_too() {
    let (upstream, folder) = (Upstream::start(), Folder::new());
    let types = ["application/json; charset=utf-8", "text/xml", "application/x-www-form-urlencoded"];
    let sent: Vec<Raw> = types.iter().enumerate().map(|(at, of)| raw(at, "{}", &[("content-type", of)])).collect();
    for more in [String::new(), stored(&folder)] {
        let got = passed(&config(&upstream.address, "", &more), &upstream, &sent, "content-type");
        assert_eq!(got.concat(), types, "{more}");
    }
    // Nobody has said what this is.
    let sent = [raw(8, "{}", &[]), raw(9, "a=b", &[])];
    let another = Folder::new();
    let got = passed(&config(&upstream.address, "", &stored(&another)), &upstream, &sent, "content-type");
    assert_eq!(got.concat(), ["application/json", "application/octet-stream"]);
}

#[test]
fn where_no_proxy_is_trusted_nobody_says_from_where_a_delivery_comes() {
    let upstream = Upstream::start();
    let trusting = "sources = [\"127.0.0.0/8\"]\ntrusted_proxies = 1";
    for name in ["x-forwarded-for", "X_Forwarded_For", "forwarded", "x-real-ip", "x-forwarded-proto", "x-request-id"] {
        let sent = [raw(1, "{}", &[(name, "127.0.0.1"), ("x-forwarded-for", "127.0.0.1")])];
        let small = name.to_ascii_lowercase();
        for (endpoint, stays) in [("", name == "x-request-id"), (trusting, true)] {
            let got = passed(&config(&upstream.address, endpoint, ""), &upstream, &sent, &small);
            assert_eq!(got.concat().is_empty(), !stays, "{name} {endpoint}: {got:?}");
        }
    }
}
