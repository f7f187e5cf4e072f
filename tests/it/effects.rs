//! The SQL that the documentation shows for effects exactly once, run as it is written, in SQLite.

use std::process::Command;

const PAGE: &str = include_str!("../../src/idempotency/effects.md");

/// All statements of the page, by their order.
fn statements() -> Vec<String> {
    let blocks = PAGE.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let text: String = blocks.collect::<Vec<_>>().join("\n");
    text.split(';').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

/// Runs a scenario against the page's statements; each line that it prints is a count of changed rows or a value.
fn run(scenario: &str) -> Vec<String> {
    let statements = statements();
    let script = format!(
        "import sqlite3, json, sys\n\
         create_effects, once, create_steps, take, end = json.loads(sys.argv[1])\n\
         db = sqlite3.connect(':memory:')\n\
         db.execute(create_effects); db.execute(create_steps)\n\
         def row(statement, fence, key='k', result=None):\n\
         \x20   print(db.execute(statement, dict(receiver='r', key=key, fence=fence, result=result)).rowcount)\n\
         {scenario}"
    );
    let done = Command::new("python3")
        .args(["-c", &script, &serde_json::to_string(&statements).unwrap()])
        .output()
        .expect("python3 runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_key_makes_an_effect_once_though_a_repeat_has_a_higher_fence() {
    assert_eq!(run("row(once, 1); row(once, 2); row(once, 1, key='other')"), ["1", "0", "1"]);
}

#[test]
fn a_ledger_by_fence_alone_takes_the_repeat_for_news() {
    let by_fence = "db.execute('CREATE TABLE naive (event_key TEXT PRIMARY KEY, fence BIGINT)')\n\
                    naive = 'INSERT INTO naive VALUES (:key, :fence) ON CONFLICT DO UPDATE SET fence = :fence WHERE fence < :fence'\n\
                    row(naive, 1); row(naive, 2)";
    assert_eq!(run(by_fence), ["1", "1"]);
}

#[test]
fn a_late_writer_cannot_overwrite_the_one_who_took_over() {
    let frozen = "row(take, 1); row(take, 2); row(end, 1, result='late'); row(end, 2, result='newer')\n\
                  row(take, 3); row(end, 1, result='late'); print(db.execute('SELECT result FROM steps').fetchone()[0])";
    assert_eq!(run(frozen), ["1", "1", "0", "1", "0", "0", "newer"]);
}

#[test]
fn without_the_fence_the_late_writer_wins() {
    let unfenced = "end = end.replace(' AND fence = :fence AND result IS NULL', '')\n\
                    row(take, 1); row(take, 2); row(end, 2, result='newer'); row(end, 1, result='late')\n\
                    print(db.execute('SELECT result FROM steps').fetchone()[0])";
    assert_eq!(run(unfenced).last().unwrap(), "late");
}
