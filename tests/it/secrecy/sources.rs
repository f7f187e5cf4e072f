//! No type in `src` that holds raw bytes or headers derives `Debug`: it would print what they say. Found in the sources, so
//! that the next such type is found too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What says all that is in it when it is printed.
const TALKATIVE: [&str; 8] =
    ["Bytes", "BytesMut", "RawValue", "HeaderMap", "HeaderValue", "Parts", "Request", "Response"];

/// Those who may: a file or a folder, and why.
const MAY: &[(&str, &str)] = &[
    ("src/bin/", "the program's own, and its output has tests of its own"),
    ("src/sender/", "the reference sender plays the provider, and what it sends is made up"),
    ("src/testing/", "the same"),
    ("src/delivery/for_test.rs", "what a test makes up"),
    ("src/delivery/inner.rs", "what a service inside has answered: its headers, and the length of its body"),
    ("src/provider/acknowledgement.rs", "what every sender is answered"),
    ("src/layers/basic_auth.rs", "the challenge that every stranger is answered"),
    ("src/provider/aella/", "an event is what a handler asked for, and prints itself"),
    ("src/provider/banking_circle/", "the same"),
    ("src/provider/custom.rs", "the same"),
    ("src/provider/mambu/", "the same"),
    ("src/provider/opp/", "the same"),
    ("src/provider/sibs/", "the same"),
    ("src/provider/standard_webhooks/", "the same"),
];

/// The types of this text that derive `Debug` and have such a field.
fn talkative(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(text.parse().unwrap(), &mut found);
    found
}

fn walk(tokens: TokenStream, found: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut derives = false;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group)
                if group.delimiter() == Delimiter::Bracket && is(tokens.get(at.wrapping_sub(1)), "#") =>
            {
                let text = group.stream().to_string();
                derives |= text.starts_with("derive") && words(group.stream()).contains("Debug");
            }
            TokenTree::Ident(word) if *word == "struct" || *word == "enum" => {
                let name = tokens[at + 1].to_string();
                let rest = tokens[at + 1..].iter().take_while(|token| !is(Some(token), ";"));
                let fields = rest.into_iter().find_map(|token| match token {
                    TokenTree::Group(group) if group.delimiter() != Delimiter::Bracket => Some(words(group.stream())),
                    _ => None,
                });
                if derives && fields.is_some_and(|fields| TALKATIVE.iter().any(|word| fields.contains(*word))) {
                    found.insert(name);
                }
                derives = false;
            }
            TokenTree::Ident(word) if ["fn", "impl", "mod", "use", "trait"].iter().any(|other| word == other) => {
                derives = false
            }
            TokenTree::Group(group) => walk(group.stream(), found),
            _ => {}
        }
    }
}

fn is(token: Option<&TokenTree>, text: &str) -> bool {
    token.is_some_and(|token| token.to_string() == text)
}

/// All words within, however deep.
fn words(tokens: TokenStream) -> BTreeSet<String> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) => words(group.stream()),
            other => BTreeSet::from([other.to_string()]),
        })
        .collect()
}

fn files(folder: &Path, each: &mut impl FnMut(&str, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, each);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_str().unwrap().to_owned();
            each(&name, &fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn nothing_that_carries_bytes_or_headers_derives_how_it_is_printed() {
    let (mut told, mut used, mut count) = (Vec::new(), BTreeSet::new(), 0);
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |file, text| {
        count += 1;
        // What tests alone have is made up.
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for name in talkative(text) {
            match MAY.iter().find(|(may, _)| file.starts_with(may)) {
                Some((may, _)) => drop(used.insert(*may)),
                None if file.contains("/tests") => {}
                None => told.push(format!("{file}: {name}")),
            }
        }
    });
    assert!(count > 100, "only {count} files");
    assert_eq!(told, Vec::<String>::new(), "write `Debug` by hand, with a length in place of the bytes");
    println!("allowed and used: {used:?}");
}

#[test]
fn a_type_that_would_print_its_bytes_is_found() {
    for (text, found) in [
        ("#[derive(Clone, Debug)] pub struct A { bytes: Bytes }", true),
        ("#[derive(Debug)] struct A(Option<Vec<Bytes>>);", true),
        ("#[derive(Debug)] #[non_exhaustive] pub enum A { B { c: HeaderMap } }", true),
        ("mod b { #[derive(Debug)] struct A(HeaderValue); }", true),
        ("#[derive(Clone)] pub struct A { bytes: Bytes }", false),
        ("#[derive(Debug)] pub struct A { length: usize }", false),
        ("#[derive(Debug)] struct B; fn a(b: Bytes) {}", false),
        ("#[derive(Debug)] struct B(u8); struct A(Bytes);", false),
    ] {
        assert_eq!(talkative(text), if found { BTreeSet::from(["A".to_owned()]) } else { BTreeSet::new() }, "{text}");
    }
}
