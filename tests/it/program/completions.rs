//! `completions`: what a shell offers of them, and what becomes of them when nobody takes them.

use std::process::{Command, Stdio};

use super::child::{Folder, Program};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tower-webhook");

/// Calls what the script gave bash to complete these words by, of which the last is not whole.
const COMPLETE: &str = r#"
source "$1" && shift
function=$(complete -p tower-webhook | sed 's/.* -F \([^ ]*\) .*/\1/')
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
"$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

fn offered(script: &str, words: &[&str]) -> Vec<String> {
    let arguments = ["-c", COMPLETE, "bash", script, "tower-webhook"];
    let done = Program::other("bash", arguments.iter().chain(words).copied()).run();
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{words:?}");
    done.stdout.into_iter().filter(|word| !word.is_empty()).collect()
}

fn script_of(shell: &str) -> String {
    let done = Program::new(["completions", shell]).run();
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{shell}");
    done.stdout.join("\n") + "\n"
}

#[test]
fn bash_completes_every_command_and_its_options() {
    let folder = Folder::new();
    let script = folder.write("script", script_of("bash"));
    let script = script.to_str().unwrap();
    assert_eq!(offered(script, &["check"]), ["check-config"]);
    for (command, option) in [
        ("listen", "--quiet-payloads"),
        ("check-config", "--config"),
        ("healthcheck", "--config"),
        ("send", "--to"),
        ("storm", "--upstream"),
        ("inbox", "--config"),
        ("reconcile", "--reference"),
        ("explain", "--endpoint"),
        ("completions", "zsh"),
    ] {
        assert_eq!(offered(script, &[command, option]), [option], "{command}");
    }
    assert_eq!(offered(script, &["inbox", "list", "--sta"]), ["--state"]);
    assert_eq!(offered(script, &["listen", "--log", "j"]), ["json"]);
    assert_eq!(offered(script, &["listen", "--nothing"]), Vec::<String>::new());
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = script_of(shell);
        assert!(script.contains("tower-webhook") && script.contains("check-config"), "{shell}: {script}");
        assert!(!script.contains("tower__subcmd__webhook"), "{shell}: {script}");
    }
}

#[test]
fn a_full_disk_is_said_and_a_closed_pipe_is_not() {
    let folder = Folder::new();
    let endpoint =
        "[[endpoint]]\npath = \"/a\"\nprovider = \"aella\"\nkeys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";
    let config = folder.write("receiver.toml", endpoint);
    let config = config.to_str().unwrap();
    for arguments in [&["completions", "bash"][..], &["completions", "zsh"], &["check-config", "--config", config]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let (reader, closed) = std::io::pipe().unwrap();
        drop(reader);
        for (stdout, words) in [(Stdio::from(full), "tower-webhook: stdout: "), (Stdio::from(closed), "")] {
            let done = Command::new(PROGRAM).args(arguments).env_clear().stdout(stdout).output().unwrap();
            let said = String::from_utf8(done.stderr).unwrap();
            assert_eq!(done.status.code(), Some(1), "{arguments:?}: {said}");
            assert_eq!(said.lines().count(), usize::from(!words.is_empty()), "{arguments:?}: {said}");
            assert!(said.starts_with(words), "{arguments:?}: {said}");
        }
    }
}
