//! `deploy/` and `docs/metrics.md` have the metrics that there are, and the alerts do what they should.

use std::collections::BTreeSet;

use serde_json::Value;
use tower_webhook::observe::METRICS;

use super::child::Program;

const DOCS: &str = include_str!("../../../docs/metrics.md");
const ALERTS: &str = include_str!("../../../deploy/alerts.yml");
const TESTS: &str = include_str!("../../../deploy/alerts_test.yml");
const DASHBOARD: &str = include_str!("../../../deploy/dashboard.json");

/// Every name of a metric in a text, without what a histogram adds to it.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours = words.filter(|word| word.starts_with("webhook_"));
    ours.map(|word| ["_bucket", "_count", "_sum"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word))
        .collect()
}

/// What stands in braces and behind `by`: labels.
fn labels(text: &str) -> BTreeSet<&str> {
    let matchers = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(inside, _)| inside);
    let matched = matchers.flat_map(|inside| inside.split(',')).filter_map(|one| one.split_once('='));
    let grouped =
        text.split("by (").skip(1).filter_map(|rest| rest.split_once(')')).flat_map(|(list, _)| list.split(','));
    matched.map(|(label, _)| label.trim().trim_end_matches('!')).chain(grouped.map(str::trim)).collect()
}

/// Every question of the dashboard.
fn questions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn docs_alerts_and_dashboard_have_the_metrics_that_there_are() {
    let all: BTreeSet<&str> = METRICS.iter().map(|(name, _)| *name).collect();
    let rows = DOCS.lines().filter_map(|line| line.strip_prefix("| `webhook_"));
    let table: Vec<(String, Vec<&str>)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (
                format!("webhook_{}", cells[0].trim_end_matches('`')),
                cells[2].split(", ").map(|label| label.trim_matches('`')).collect(),
            )
        })
        .collect();
    let ours: Vec<_> = METRICS.iter().map(|(name, labels)| ((*name).to_owned(), labels.to_vec())).collect();
    assert_eq!(table, ours, "docs/metrics.md");
    let questions = questions().join("\n");
    assert_eq!(named(&questions), all, "the dashboard has every one of them");
    for (what, text) in [("alerts", ALERTS), ("their tests", TESTS), ("docs", DOCS)] {
        let unknown: Vec<_> = named(text).difference(&all).copied().collect();
        assert_eq!(unknown, Vec::<&str>::new(), "{what}");
    }
    let known: BTreeSet<&str> = METRICS.iter().flat_map(|(_, labels)| labels.iter().copied()).chain(["le"]).collect();
    let exprs: String = ALERTS.lines().filter(|line| !line.contains("labels:") && !line.contains("summary:")).collect();
    for (what, text) in [("alerts", &exprs), ("dashboard", &questions)] {
        let unknown: Vec<_> = labels(text).difference(&known).copied().map(str::to_owned).collect();
        assert_eq!(unknown, Vec::<String>::new(), "{what}");
    }
}

#[test]
fn every_alert_fires_in_one_test_and_is_silent_in_another() {
    let alerts: Vec<&str> = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let tests: Vec<&str> = TESTS.lines().filter_map(|line| line.trim().strip_prefix("- name: ")).collect();
    let expected: Vec<String> =
        alerts.iter().flat_map(|alert| [format!("{alert} fires"), format!("{alert} silent")]).collect();
    assert_eq!(tests, expected);
    assert!(alerts.len() > 7, "{alerts:?}");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");
    let run = |rules: &str| promtool(["test", "rules", rules]).run();
    let done = run(&format!("{folder}/alerts_test.yml"));
    assert_eq!(done.code, Some(0), "{done:?}");
}

/// Prometheus's own tool, or one line about it.
pub(super) fn promtool<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Program {
    let there = ["-c", "command -v promtool || { echo promtool is missing: install prometheus >&2; exit 1; }"];
    let there = Program::other("sh", there).run();
    assert_eq!(there.code, Some(0), "{}", there.stderr);
    Program::other("promtool", arguments)
}
