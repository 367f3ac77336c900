//! `generate`: writes the files of a plan. All or none, each by a rename, none over somebody's changes.
use crate::{
    cli::GenerateArgs,
    date,
    error::{Exit, ExpectedError},
    files::{cannot_write, shown},
    output, plan_cmd, scenario_source, search,
};
use planner::{ArtifactKind, Plan, RenderOptions, artifact::omitted, evaluate, render};
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

/// `generate`.
pub(crate) fn run(args: &GenerateArgs) -> Result<Exit, ExpectedError> {
    let date = date::date(args.date.as_deref())?;
    let asked = kinds(&args.emit)?;
    let mut question = scenario_source::read(&args.source, &args.machine, &args.fields)?;
    let searched = search::apply(&mut question.scenario, &args.search)?;
    let mut plan = evaluate(&question.scenario);
    if let Some(searched) = searched {
        searched.tell(&mut plan);
    }
    if plan.verdict.outcome == planner::Outcome::Unsupported {
        output::complain(&format!("error: {}", plan.verdict.reason));
        return Ok(plan_cmd::exit(&plan));
    }
    let link = args
        .link_base
        .as_deref()
        .map(|base| crate::link::scenario(base, &question.scenario))
        .transpose()?;
    let kinds = if asked.is_empty() { question.emit } else { asked };
    say_what_is_missing(&plan, &kinds);
    let files = rendered(&plan, &date, link.as_deref(), &kinds);
    fs::create_dir_all(&args.output).map_err(|error| cannot_write(&args.output, &error))?;
    let targets = survey(&args.output, files, args.date.is_none(), args.force)?;
    for target in &targets {
        if target.state != State::Same {
            write(target)?;
        }
        output::answer(&format!("{:9} {}", target.state.word(), shown(&target.path)))?;
    }
    let verdict = &plan.verdict;
    output::say(&format!("{}: {}", verdict.outcome.words(), verdict.reason));
    Ok(plan_cmd::exit(&plan))
}

/// Why a file that was asked for is not written; where none was, which are not.
fn say_what_is_missing(plan: &Plan, asked: &[ArtifactKind]) {
    let mut others = Vec::new();
    for kind in ArtifactKind::ALL {
        match omitted(plan, *kind) {
            Some(reason) if asked.contains(kind) => {
                output::say(&format!("note: no {}: {reason}", kind.path()));
            }
            Some(_) if asked.is_empty() => others.push(kind.name()),
            _ => {}
        }
    }
    if !others.is_empty() {
        output::say(&format!(
            "note: not for this plan: {} (--emit says why)",
            others.join(", ")
        ));
    }
}

/// The kinds that `--emit` names.
fn kinds(emit: &[String]) -> Result<Vec<ArtifactKind>, ExpectedError> {
    emit.iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
        .map(|name| {
            ArtifactKind::parse(name)
                .map_err(|error| ExpectedError::usage(format!("--emit: {}, got {name:?}", error.problem)))
        })
        .collect()
}

struct Rendered {
    kind: ArtifactKind,
    text: String,
    /// The same with a placeholder for the date, to tell a new day from a change.
    undated: String,
}

const NO_DATE: &str = "0000-00-00";

fn rendered(plan: &Plan, date: &str, link: Option<&str>, kinds: &[ArtifactKind]) -> Vec<Rendered> {
    let with = |date: &str| {
        render(
            plan,
            &RenderOptions {
                date: Some(date.to_owned()),
                link: link.map(str::to_owned),
                emit: kinds.to_vec(),
            },
        )
    };
    let (dated, undated) = (with(date), with(NO_DATE));
    dated
        .files
        .into_iter()
        .zip(undated.files)
        .filter(|(file, _)| kinds.is_empty() || kinds.contains(&file.kind) || file.kind == ArtifactKind::Plan)
        .map(|(file, undated)| Rendered {
            kind: file.kind,
            text: file.text,
            undated: undated.text,
        })
        .collect()
}

/// What is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Same,
    Changed,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::New => "wrote",
            Self::Same => "unchanged",
            Self::Changed => "replaced",
        }
    }
}

struct Target {
    path: PathBuf,
    text: String,
    executable: bool,
    state: State,
}

/// Looks at every file before any is written.
fn survey(
    folder: &Path,
    files: Vec<Rendered>,
    any_date: bool,
    force: bool,
) -> Result<Vec<Target>, ExpectedError> {
    let targets: Vec<Target> = files
        .into_iter()
        .map(|file| {
            let path = folder.join(file.kind.path());
            Ok(Target {
                state: state(&path, &file, any_date)?,
                executable: file.kind.is_script(),
                text: file.text,
                path,
            })
        })
        .collect::<Result<_, ExpectedError>>()?;
    let changed: Vec<String> = targets
        .iter()
        .filter(|target| target.state == State::Changed)
        .map(|target| shown(&target.path))
        .collect();
    if changed.is_empty() || force {
        return Ok(targets);
    }
    Err(ExpectedError::usage(format!(
        "{} with other content: {}",
        if changed.len() == 1 {
            "a file is there"
        } else {
            "files are there"
        },
        changed.join(", ")
    ))
    .help("Nothing was written. Choose another folder with -o, or overwrite them with --force."))
}

fn state(path: &Path, file: &Rendered, any_date: bool) -> Result<State, ExpectedError> {
    match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::New),
        Err(error) => Err(cannot_write(path, &error)),
        Ok(bytes) if bytes == file.text.as_bytes() => Ok(State::Same),
        Ok(bytes) if any_date && same_but_for_the_date(&bytes, &file.undated) => Ok(State::Same),
        Ok(_) => Ok(State::Changed),
    }
}

/// Whether the file is ours from another day: equal where the placeholder stands for ten signs of a date.
fn same_but_for_the_date(bytes: &[u8], undated: &str) -> bool {
    let is_date = |text: &[u8]| {
        text.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    };
    let mut rest = bytes;
    let mut parts = undated.split(NO_DATE).peekable();
    while let Some(part) = parts.next() {
        let Some(after) = rest.strip_prefix(part.as_bytes()) else {
            return false;
        };
        rest = after;
        if parts.peek().is_some() {
            match rest.split_at_checked(NO_DATE.len()) {
                Some((date, after)) if is_date(date) => rest = after,
                _ => return false,
            }
        }
    }
    rest.is_empty()
}

/// Writes beside the target and renames: a reader sees the old file or the new one, never half of one.
fn write(target: &Target) -> Result<(), ExpectedError> {
    let name = target.path.file_name().unwrap_or_default().to_string_lossy();
    let beside = target
        .path
        .with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = fill(&beside, target).and_then(|()| fs::rename(&beside, &target.path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        cannot_write(&target.path, &error)
    })
}

fn fill(path: &Path, target: &Target) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(target.text.as_bytes())?;
    if target.executable {
        make_executable(&file)?;
    }
    file.sync_all()
}

#[cfg(unix)]
fn make_executable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_day_is_not_a_change() {
        let undated = "# generated 0000-00-00 by us\nvllm serve m\n";
        assert!(same_but_for_the_date(
            b"# generated 2026-01-31 by us\nvllm serve m\n",
            undated
        ));
        assert!(!same_but_for_the_date(
            b"# generated 2026-01-31 by us\nvllm serve n\n",
            undated
        ));
        assert!(!same_but_for_the_date(
            b"# generated yesterday!! by us\nvllm serve m\n",
            undated
        ));
        assert!(!same_but_for_the_date(
            b"# generated 2026-01-31 by us\nvllm serve m\nmore\n",
            undated
        ));
    }

    #[test]
    fn kinds_are_checked() {
        let names = |list: &[&str]| kinds(&list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            names(&["command", " plan"]),
            Ok(vec![ArtifactKind::Command, ArtifactKind::Plan])
        );
        assert!(
            names(&["comand"])
                .unwrap_err()
                .message
                .contains("command, systemd")
        );
    }
}
