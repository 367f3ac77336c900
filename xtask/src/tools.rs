//! The tools that build the page: Trunk, wasm-bindgen, wasm-opt. From PATH where the version fits, else from the cache.

use crate::{
    cache, npm,
    process::{answer, on_path, program_in, run},
    steps::Steps,
    version::Version,
    workspace,
};
use anyhow::{Context, Result, ensure};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// Newest Trunk that the pinned toolchain builds; any compatible one on PATH serves (Trunk.toml says the same).
const TRUNK: &str = "0.21.14";
/// Binaryen's oldest wasm-opt that understands what the pinned rustc writes: 108 builds a page that does not start.
const WASM_OPT_AT_LEAST: u32 = 116;
/// Binaryen from npm: wasm-opt compiled to wasm, run by Node.
const BINARYEN_NPM: &str = "132.0.0";
/// Binaryen 116 in a crate.
const WASM_OPT_CRATE: &str = "0.116.1";
/// What Trunk is told to download where nothing else is left.
const WASM_OPT_DOWNLOAD: &str = "version_123";

/// Tools come as their authors publish them, but for their release profile: fat LTO takes half an hour for a program
/// that runs for seconds.
const QUICK_PROFILE: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_STRIP", "true"),
];

/// Tools that were found, and where.
#[derive(Debug, Default)]
pub(crate) struct Toolbox {
    /// Folders that must come before the user's PATH.
    folders: Vec<PathBuf>,
    /// Trunk fetches wasm-opt by itself.
    trunk_fetches_wasm_opt: bool,
}

impl Toolbox {
    /// Adds Trunk.
    pub(crate) fn trunk(mut self, steps: &Steps) -> Result<Self> {
        let wanted: Version = TRUNK.parse()?;
        let fits = |found: &Version| wanted.allows(found);
        self.cargo_tool(
            steps,
            &CargoTool {
                krate: "trunk",
                programs: &["trunk"],
                version: TRUNK,
            },
            &fits,
        )?;
        Ok(self)
    }

    /// Adds wasm-bindgen and its test runner, of exactly the version that the page is linked with.
    pub(crate) fn wasm_bindgen(mut self, steps: &Steps) -> Result<Self> {
        let version = workspace::locked_version("wasm-bindgen")?;
        let wanted: Version = version.parse()?;
        let programs = &["wasm-bindgen", "wasm-bindgen-test-runner"];
        let tool = CargoTool {
            krate: "wasm-bindgen-cli",
            programs,
            version: &version,
        };
        self.cargo_tool(steps, &tool, &|found| *found == wanted)?;
        Ok(self)
    }

    /// Adds wasm-opt, which only release builds use.
    pub(crate) fn wasm_opt(mut self, steps: &Steps) -> Result<Self> {
        let fits = |found: &Version| found.major() >= WASM_OPT_AT_LEAST;
        if let Some(path) =
            on_path("wasm-opt").filter(|path| version_of(path).is_some_and(|found| fits(&found)))
        {
            steps.next(&format!("wasm-opt: using {}", path.display()));
        } else if npm::is_there() {
            steps.next(&format!("wasm-opt: binaryen {BINARYEN_NPM} from npm"));
            let check = |modules: &Path| probe(&modules.join(".bin"), "wasm-opt", &fits);
            self.folders
                .push(npm::package(steps, "binaryen", BINARYEN_NPM, check)?.join(".bin"));
        } else if ["c++", "g++", "clang++"]
            .iter()
            .any(|name| on_path(name).is_some())
        {
            let tool = CargoTool {
                krate: "wasm-opt",
                programs: &["wasm-opt"],
                version: WASM_OPT_CRATE,
            };
            self.cargo_tool(steps, &tool, &fits)?;
        } else {
            steps.next(
                "wasm-opt: none here, and neither npm nor a C++ compiler to get it with; Trunk downloads it",
            );
            self.trunk_fetches_wasm_opt = true;
        }
        Ok(self)
    }

    /// A command that sees these tools first.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Result<Command> {
        let program = program.as_ref();
        let name = program.to_string_lossy();
        let found = self.folders.iter().find_map(|folder| program_in(folder, &name));
        let mut command = Command::new(
            found
                .or_else(|| on_path(&name))
                .unwrap_or_else(|| program.to_path_buf()),
        );
        command
            .current_dir(workspace::root())
            .env("PATH", path_with(&self.folders)?);
        if self.trunk_fetches_wasm_opt {
            command.env("TRUNK_TOOLS_WASM_OPT", WASM_OPT_DOWNLOAD);
        }
        Ok(command)
    }

    fn cargo_tool(&mut self, steps: &Steps, tool: &CargoTool, fits: &dyn Fn(&Version) -> bool) -> Result<()> {
        let CargoTool { krate, version, .. } = tool;
        let first = tool.programs.first().copied().unwrap_or(krate);
        let usable = |name: &&str| {
            on_path(name)
                .and_then(|path| version_of(&path))
                .is_some_and(|found| fits(&found))
        };
        if let Some(path) = on_path(first).filter(|_| tool.programs.iter().all(usable)) {
            steps.next(&format!("{krate}: using {}", path.display()));
            return Ok(());
        }
        steps.next(&format!("{krate} {version}: from the tool cache"));
        let made = cache::ensure(steps, &cache::tools()?, &format!("{krate}-{version}"), |site| {
            steps.note(&format!(
                "building {krate} {version} with cargo: some minutes, once per user"
            ));
            cargo_install(tool, site)?;
            tool.programs
                .iter()
                .try_for_each(|program| probe(&site.prefix.join("bin"), program, fits))
        });
        let hint =
            || format!("cannot install it; by hand: `cargo install --locked {krate} --version {version}`");
        self.folders.push(made.with_context(hint)?.join("bin"));
        Ok(())
    }
}

struct CargoTool<'a> {
    krate: &'a str,
    programs: &'a [&'a str],
    version: &'a str,
}

fn cargo_install(tool: &CargoTool, site: &cache::Site) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args([
        "install",
        "--locked",
        tool.krate,
        "--version",
        tool.version,
        "--no-track",
        "--root",
    ]);
    command.arg(&site.prefix).current_dir(workspace::root());
    // CARGO_BUILD_TARGET would build the tool for the wrong machine; PATH keeps cargo from advising to change it.
    command
        .envs(QUICK_PROFILE)
        .env("CARGO_TARGET_DIR", &site.scratch)
        .env_remove("CARGO_BUILD_TARGET");
    command.env("PATH", path_with(&[site.prefix.join("bin")])?);
    run(&mut command)
}

/// PATH with these folders before the user's own.
fn path_with(folders: &[PathBuf]) -> Result<OsString> {
    let own = env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(env::split_paths(&own));
    env::join_paths(all).context("a folder of tools has a character in its name that PATH cannot hold")
}

fn version_of(program: &Path) -> Option<Version> {
    Version::find(&answer(program, &["--version"])?)
}

/// An error unless the program runs and says a version that fits.
fn probe(folder: &Path, name: &str, fits: &dyn Fn(&Version) -> bool) -> Result<()> {
    let found = program_in(folder, name).and_then(|path| version_of(&path));
    ensure!(
        found.as_ref().is_some_and(fits),
        "{name} was installed but does not work (it says {found:?})"
    );
    Ok(())
}
