//! Completion scripts for shells.

use std::process::ExitCode;

use clap::Command;
use clap_complete::{Generator as _, Shell};

use crate::lines;

pub(crate) fn run(shell: Shell, command: Command) -> ExitCode {
    let mut command = command.bin_name("tower-webhook");
    command.build();
    let mut script = Vec::new();
    match shell.try_generate(&command, &mut script) {
        Ok(()) => lines::end_with(&whole(&String::from_utf8_lossy(&script))),
        Err(error) => {
            lines::say(format_args!("the script cannot be written: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// clap_complete 4.6.11 writes a hyphen of the program's name in two ways, and bash then finds no command of it.
fn whole(script: &str) -> String {
    script.replace("tower__subcmd__webhook", "tower__webhook")
}
