//! What is told of mistakes at the shell: in one line what is wrong, where, and what would be right.

use super::certificates::Authority;
use super::child::{Done, Folder, Program};

const AELLA: &str = "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
    keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";
const SEND: &str = "send aella/transfer.completed --config ok.toml --to";
const REDIS: &str = "write url = \"redis://host:6379/0\", rediss:// for TLS, redis-sentinel://host,host/master, \
    redis-cluster://host,host";
const POSTGRES: &str = "write url = \"postgres://user@host:5432/database\", with sslmode=disable, prefer or require \
    where it says one";
const FILE: &str = "; path of [inbox] is to be a file that nobody else has open, in a folder that is there and may be \
    written to";

fn folder() -> Folder {
    let folder = Folder::new();
    let inbox = |path: &str| format!("{AELLA}[inbox]\nkind = \"sqlite\"\npath = \"{path}\"\n");
    let store = |table: &str, kind: &str, url: &str| format!("{AELLA}[{table}]\nkind = \"{kind}\"\nurl = \"{url}\"\n");
    for (name, content) in [
        ("ok.toml", AELLA.to_owned()),
        ("taken.toml", format!("listen = \"192.0.2.1:8080\"\n{AELLA}[inbox]\nkind = \"sqlite\"\npath = \"i.db\"\n")),
        ("lost.toml", inbox("no/such/inbox.db")),
        ("folder.toml", inbox(".")),
        ("text.toml", inbox("ok.toml")),
        ("tls.toml", format!("tls = {{ certificate = \"none.pem\", key = {{ file = \"none.key\" }} }}\n{AELLA}")),
        ("mixed.toml", format!("tls = {{ certificate = \"one.pem\", key = {{ file = \"two.key\" }} }}\n{AELLA}")),
        ("redis.toml", store("dedupe", "redis", "redis://")),
        ("redis-wait.toml", store("dedupe", "redis", "redis://127.0.0.1") + "wait = { replicas = 0 }\n"),
        ("redis-prefix.toml", store("dedupe", "redis", "redis://127.0.0.1") + "prefix = \"{a}\"\n"),
        ("redis-port.toml", store("dedupe", "redis", "redis://127.0.0.1:99999")),
        ("postgres.toml", store("inbox", "postgres", "postgres://u:canary@127.0.0.1/d?sslmode=maybe")),
        ("postgres-port.toml", store("inbox", "postgres", "postgres://u:canary@127.0.0.1:99999/d")),
        ("postgres-odd.toml", store("inbox", "postgres", "postgres://u@127.0.0.1/d?canary=1")),
        ("away.toml", store("inbox", "postgres", "postgres://u:canary@127.0.0.1:1/d") + "deadline = \"1s\"\n"),
    ] {
        folder.write(name, content);
    }
    for name in ["one", "two"] {
        Authority::new(&folder, name);
    }
    folder
}

/// The program with these arguments, in this folder.
fn run(folder: &Folder, line: &str) -> Done {
    let command = format!("cd '{}' && exec \"$0\" {line} < /dev/null", folder.path().display());
    Program::other("sh", ["-c", &command, env!("CARGO_BIN_EXE_tower-webhook")]).run()
}

/// What is written at the shell, the exit code, and the line that tells why.
const MISTAKES: &[(&str, i32, &str)] = &[
    (
        "check-config --config none.toml",
        2,
        "none.toml: (file): cannot be read: No such file or directory (os error 2); give the path of a \
         readable TOML file",
    ),
    (
        "check-config --config .",
        2,
        ".: (file): cannot be read: Is a directory (os error 21); give the path of a readable TOML file",
    ),
    (
        "check-config --config tls.toml",
        2,
        "tls.toml: tls.key.file: none.key cannot be read: No such file or directory (os error 2); give the \
         path of a readable file",
    ),
    (
        "check-config --config tls.toml",
        2,
        "tls.toml: tls.certificate: none.pem cannot be read: No such file or directory (os error 2); give the \
         path of a readable PEM file",
    ),
    (
        "check-config --config mixed.toml",
        2,
        "mixed.toml: tls.key: does not belong to the certificate; give the private key that belongs to the \
         certificate",
    ),
    (
        "check-config --config redis.toml",
        2,
        "redis.toml: dedupe.url: the address of the server cannot be used: Missing hostname; {REDIS}",
    ),
    (
        "check-config --config redis-port.toml",
        2,
        "redis-port.toml: dedupe.url: the address of the server cannot be used: Redis URL did not parse; \
         {REDIS}",
    ),
    (
        "check-config --config redis-wait.toml",
        2,
        "redis-wait.toml: dedupe.wait: wait needs a replica, and a time from 1 ms to less than half of the \
         deadline; write wait = { replicas = 1, time = \"500ms\" } beside a longer deadline, or leave it out",
    ),
    (
        "check-config --config redis-prefix.toml",
        2,
        "redis-prefix.toml: dedupe.prefix: the prefix is longer than 64 bytes or holds a brace; write a \
         shorter one, or leave it out",
    ),
    (
        "check-config --config postgres.toml",
        2,
        "postgres.toml: inbox.url: the address has an invalid value for option `sslmode`; {POSTGRES}",
    ),
    (
        "check-config --config postgres-port.toml",
        2,
        "postgres-port.toml: inbox.url: the address has an invalid value for option `port`; {POSTGRES}",
    ),
    (
        "check-config --config postgres-odd.toml",
        2,
        "postgres-odd.toml: inbox.url: the address is no postgres:// URL; {POSTGRES}",
    ),
    (
        "listen --config away.toml",
        1,
        "listen: inbox: postgres: the inbox is not available: error connecting to server: Connection refused \
         (os error 111); see whether the server runs, and url of [inbox]",
    ),
    (
        "listen --config taken.toml",
        1,
        "listen: 192.0.2.1:8080 cannot be listened on: Cannot assign requested address (os error 99); write \
         another address at listen in the file",
    ),
    (
        "listen --config lost.toml",
        1,
        "listen: inbox: no/such/inbox.db: the inbox is not available: No such file or directory (os error \
         2){FILE}",
    ),
    (
        "listen --config folder.toml",
        1,
        "listen: inbox: .: the inbox is not available: Is a directory (os error 21){FILE}",
    ),
    (
        "listen --config text.toml",
        1,
        "listen: inbox: ok.toml: the inbox's store cannot be used: file is not a database; name another file \
         at path of [inbox]",
    ),
    ("inbox stats --config lost.toml", 1, "inbox: no/such/inbox.db is not there; listen makes it when it starts"),
    (
        "inbox why abc --config lost.toml",
        2,
        "error: invalid value 'abc' for '<ID>': write the number of an event, as list shows it: \"id\"",
    ),
    (
        "{SEND} https://127.0.0.1:1 --ca one.pem",
        1,
        "not delivered: nobody took the connection: Connection refused (os error 111)",
    ),
    ("{SEND} http://127.0.0.1:1", 1, "not delivered: nobody took the connection: Connection refused (os error 111)"),
    ("{SEND} 127.0.0.1:1", 2, "--to: \"127.0.0.1:1\" is not an address; write http://127.0.0.1:PORT/path"),
    (
        "{SEND} http://localhost:99999/",
        2,
        "--to: \"http://localhost:99999/\" has a port that there is not; write one from 1 to 65535",
    ),
    (
        "{SEND} https://127.0.0.1:1 --ca none.pem",
        2,
        "--ca: none.pem cannot be read: No such file or directory (os error 2); give the path of a readable \
         PEM file",
    ),
    (
        "send @none.json --config ok.toml --to http://127.0.0.1:1",
        2,
        "EVENT: none.json cannot be read: No such file or directory (os error 2); give @FILE, or -",
    ),
    ("explain --config ok.toml", 2, "there is no request: the input is empty; give one on stdin or by --file"),
    (
        "explain --config ok.toml --file .",
        2,
        "--file: . cannot be read: Is a directory (os error 21); give a file with a request",
    ),
    (
        "explain --config ok.toml --from here",
        2,
        "error: invalid value 'here' for '--from <ADDRESS>': write it as 192.0.2.1 or 2001:db8::1",
    ),
    (
        "storm --config ok.toml --to http://127.0.0.1:1 --upstream localhost:1",
        2,
        "error: invalid value 'localhost:1' for '--upstream <ADDRESS:PORT>': write an address and a port, \
         such as 127.0.0.1:3000",
    ),
    (
        "storm --config ok.toml --to http://127.0.0.1:1 --upstream 127.0.0.1:1 --faults odd",
        2,
        "--faults: \"odd\" is no fault; take a name that storm --help lists",
    ),
    (
        "storm --config ok.toml --to http://127.0.0.1:1 --upstream 127.0.0.1:1 --bad 2",
        2,
        "--bad: \"2\" is no share; write 0 to 1, such as 0.05",
    ),
];

#[test]
fn each_mistake_is_told_in_one_line_with_what_would_be_right() {
    let folder = folder();
    let whole = |text: &str| {
        let names = [("{SEND}", SEND), ("{REDIS}", REDIS), ("{POSTGRES}", POSTGRES), ("{FILE}", FILE)];
        names.iter().fold(text.to_owned(), |text, (name, words)| text.replace(name, words))
    };
    for (line, code, told) in MISTAKES {
        let (line, told) = (whole(line), whole(told));
        let done = run(&folder, &line);
        assert_eq!(done.code, Some(*code), "{line}: {done:?}");
        let own = |line: &str| line.strip_prefix("tower-webhook: ").unwrap_or(line) == told;
        assert!(done.stderr.lines().any(own), "{line}: {told:?} is not in {}", done.stderr);
        assert!(!done.said().contains("canary"), "{line}: {done:?}");
    }
}
