//! Completions for shells and manual pages. Made for packages, by a build with the feature `manual`: they need not weigh
//! on every machine.
use crate::{
    cli::{self, ManualArgs},
    error::{Exit, ExpectedError},
    files, output,
};
use clap_complete::Shell;
use std::{fs, io, path::Path};

const NAME: &str = "vllm-wizard";

/// `manual`.
pub(crate) fn run(args: &ManualArgs) -> Result<Exit, ExpectedError> {
    write(&args.folder).map_err(|error| files::cannot_write(&args.folder, &error))?;
    output::say(&format!(
        "completions and manual pages are in {}",
        files::shown(&args.folder)
    ));
    Ok(Exit::Ok)
}

fn write(folder: &Path) -> io::Result<()> {
    let (completions, pages) = (folder.join("completions"), folder.join("man1"));
    fs::create_dir_all(&completions)?;
    fs::create_dir_all(&pages)?;
    let mut command = cli::definition();
    for shell in [
        Shell::Bash,
        Shell::Zsh,
        Shell::Fish,
        Shell::PowerShell,
        Shell::Elvish,
    ] {
        clap_complete::generate_to(shell, &mut command, NAME, &completions)?;
    }
    clap_mangen::generate_to(cli::definition(), &pages)
}
