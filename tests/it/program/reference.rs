//! The reference of the configuration against the reader: each knows the keys that the other knows.

use std::collections::{BTreeMap, BTreeSet};

use super::faults::faults;

pub(super) const PAGE: &str = include_str!("../../../docs/configuration.md");

type Keys = BTreeSet<String>;

/// A key in a table of the page.
pub(super) struct Row<'a> {
    /// The heading above the table.
    pub(super) heading: &'a str,
    pub(super) key: String,
    /// What the page says that it may be.
    pub(super) kind: String,
}

pub(super) fn rows(page: &str) -> Vec<Row<'_>> {
    let mut all = Vec::new();
    let mut heading = "";
    for line in page.lines() {
        if let Some(text) = line.strip_prefix('#') {
            heading = text.trim_start_matches('#').trim();
        } else if let Some((key, rest)) = line.strip_prefix("| `").and_then(|row| row.split_once('`')) {
            let kind = rest.split('|').nth(1).unwrap().trim().replace('`', "");
            all.push(Row { heading, key: key.to_owned(), kind });
        }
    }
    all
}

/// The keys in the tables of the page, by the heading above them.
fn tables(page: &str) -> BTreeMap<String, Keys> {
    let mut all: BTreeMap<String, Keys> = BTreeMap::new();
    for Row { heading, key, .. } in rows(page) {
        assert!(all.entry(heading.to_owned()).or_default().insert(key.clone()), "{heading}: {key} stands twice");
    }
    all
}

/// What the reader knows where it does not know `odd`, at this place of the file.
fn known(config: &str, place: &str) -> Keys {
    let told = faults(config);
    let start = format!("{place}odd: is not known here; known are ");
    let list = told.iter().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{place}: {told:#?}"));
    list.split(", ").map(str::to_owned).collect()
}

/// A place of the file: the headings of its tables, a file with a key there that nobody knows, and what leads to it.
const PLACES: &[(&[&str], &str, &str)] = &[
    (&["The file"], "odd = 1", ""),
    (&["`tls`"], "tls = { odd = 1 }", "tls."),
    (&["Secrets"], "tls = { certificate = \"c\", key = { odd = 1 } }", "tls.key."),
    (&["`[dedupe]`"], "[dedupe]\nodd = 1", "dedupe."),
    (&["`[dedupe]`", "`[dedupe]` with `kind = \"redis\"`"], "[dedupe]\nkind = \"redis\"\nodd = 1", "dedupe."),
    (&["Secrets"], "[dedupe]\nkind = \"redis\"\nurl = { odd = 1 }", "dedupe.url."),
    (&["`wait`"], "[dedupe]\nkind = \"redis\"\nwait = { odd = 1 }", "dedupe.wait."),
    (&["`[inbox]`", "`[inbox]` with `kind = \"sqlite\"`"], "[inbox]\nodd = 1", "inbox."),
    (
        &["`[inbox]`", "`[inbox]` with `kind = \"sqlite\"`", "`[inbox]` with `kind = \"postgres\"`"],
        "[inbox]\nkind = \"postgres\"\nodd = 1",
        "inbox.",
    ),
    (&["Secrets"], "[inbox]\nkind = \"postgres\"\nurl = { odd = 1 }", "inbox.url."),
    (&["`retry`"], "[inbox]\nretry = { odd = 1 }", "inbox.retry."),
    (&["`retention`"], "[inbox]\nretention = { odd = 1 }", "inbox.retention."),
    (&["`quota`"], "[inbox]\nquota = { odd = 1 }", "inbox.quota."),
    (&["`[[endpoint]]`", "`provider = \"mambu\"`"], "[[endpoint]]\nprovider = \"mambu\"\nodd = 1", "endpoint[0]."),
    (&["`[[endpoint]]`", "`provider = \"aella\"`"], "[[endpoint]]\nprovider = \"aella\"\nodd = 1", "endpoint[0]."),
    (&["`[[endpoint]]`", "`provider = \"opp\"`"], "[[endpoint]]\nprovider = \"opp\"\nodd = 1", "endpoint[0]."),
    (&["`[[endpoint]]`", "`provider = \"sibs\"`"], "[[endpoint]]\nprovider = \"sibs\"\nodd = 1", "endpoint[0]."),
    (
        &["`[[endpoint]]`", "`provider = \"banking_circle\"`"],
        "[[endpoint]]\nprovider = \"banking_circle\"\nodd = 1",
        "endpoint[0].",
    ),
    (
        &["`[[endpoint]]`", "`provider = \"standard_webhooks\"`"],
        "[[endpoint]]\nprovider = \"standard_webhooks\"\nodd = 1",
        "endpoint[0].",
    ),
    (
        &["`[[endpoint]]`", "`provider = \"custom\"`"],
        "[[endpoint]]\nprovider = \"custom\"\nscheme = { mac = \"hmac-sha256\", header = \"x\" }\nodd = 1",
        "endpoint[0].",
    ),
    (&["`rate_limit`"], "[[endpoint]]\nprovider = \"aella\"\nrate_limit = { odd = 1 }", "endpoint[0].rate_limit."),
    (
        &["`candidate`", "`provider = \"aella\"`"],
        "[[endpoint]]\nprovider = \"aella\"\ncandidate = { provider = \"aella\", odd = 1 }",
        "endpoint[0].candidate.",
    ),
    (&["`keys`"], "[[endpoint]]\nprovider = \"aella\"\nkeys = [{ odd = 1 }]", "endpoint[0].keys[0]."),
    (&["`basic_auth`"], "[[endpoint]]\nprovider = \"mambu\"\nbasic_auth = [{ odd = 1 }]", "endpoint[0].basic_auth[0]."),
    (
        &["Secrets"],
        "[[endpoint]]\nprovider = \"mambu\"\nbasic_auth = [{ password = { odd = 1 } }]",
        "endpoint[0].basic_auth[0].password.",
    ),
    (&["`scheme`"], "[[endpoint]]\nprovider = \"custom\"\nscheme = { header = \"x\", odd = 1 }", "endpoint[0].scheme."),
    (
        &["`timestamp`"],
        "[[endpoint]]\nprovider = \"custom\"\nscheme = { header = \"x\" }\ntimestamp = { param = \"t\", odd = 1 }",
        "endpoint[0].timestamp.",
    ),
    (&["Places"], "[[endpoint]]\nprovider = \"mambu\"\nevent = { json = \"/a\", odd = 1 }", "endpoint[0].event."),
    (&["Places"], "[[endpoint]]\nprovider = \"custom\"\nkey = [{ json = \"/a\", odd = 1 }]", "endpoint[0].key[0]."),
    (&["`headers`"], "[[endpoint]]\nprovider = \"banking_circle\"\nheaders = { odd = 1 }", "endpoint[0].headers."),
];

/// Where the page and the reader differ.
fn differences(page: &str) -> Vec<String> {
    let tables = tables(page);
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (headings, config, place) in PLACES {
        let known = known(config, place);
        let written: Keys = headings.iter().filter_map(|heading| tables.get(*heading)).flatten().cloned().collect();
        seen.extend(headings.iter().map(|heading| (*heading).to_owned()));
        all.extend(known.difference(&written).map(|key| format!("{place}{key} is not in the page")));
        all.extend(written.difference(&known).map(|key| format!("{place}{key} is known to the page alone")));
    }
    all.extend(
        tables.into_keys().filter(|heading| !seen.contains(heading)).map(|heading| format!("{heading}: unseen")),
    );
    all
}

#[test]
fn every_key_of_the_reader_stands_in_the_page_and_the_other_way_round() {
    assert_eq!(differences(PAGE), Vec::<String>::new());
}

#[test]
fn a_key_too_few_or_too_many_in_the_page_is_seen() {
    let row = PAGE.lines().find(|line| line.starts_with("| `capacity`")).unwrap();
    let short = differences(&PAGE.replace(&format!("{row}\n"), ""));
    assert_eq!(short, ["dedupe.capacity is not in the page", "dedupe.capacity is not in the page"]);
    let long = differences(&PAGE.replace(row, &format!("{row}\n| `colour` | text | none | nothing |")));
    assert_eq!(long, ["dedupe.colour is known to the page alone", "dedupe.colour is known to the page alone"]);
    let table = differences(&format!("{PAGE}\n## `inbox`\n\n| `kind` | text | none | nothing |\n"));
    assert_eq!(table, ["`inbox`: unseen"]);
}

#[test]
fn what_the_page_shows_is_taken() {
    let example = PAGE.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let told =
        faults(&format!("odd = 1\n{}", example.replace("env = \"AELLA_SECRET\"", "value = \"ae_sk_test_example\"")));
    assert_eq!(told.len(), 1, "{told:?}");
}
