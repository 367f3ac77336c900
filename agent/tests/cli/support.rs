//! A builder for one run of the binary.
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// One run, in a folder of its own.
pub(crate) struct Run {
    folder: TempDir,
    args: Vec<String>,
    env: Vec<(String, String)>,
    stdin: Option<Vec<u8>>,
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Kept until the test ends.
    pub(crate) folder: TempDir,
}

impl Run {
    /// `args` split at blanks.
    pub(crate) fn new(args: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            args: args.split_whitespace().map(str::to_owned).collect(),
            env: Vec::new(),
            stdin: None,
        }
    }

    /// An argument with blanks in it.
    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments, split at blanks.
    pub(crate) fn args(mut self, args: &str) -> Self {
        self.args.extend(args.split_whitespace().map(str::to_owned));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// A file in the run's folder.
    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Runs in a folder that an earlier run left.
    pub(crate) fn again(mut self, folder: TempDir) -> Self {
        self.folder = folder;
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The command, ready to start.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vllm-wizard"));
        command
            .args(&self.args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(self) -> Ended {
        let mut command = self.command();
        command
            .stdin(if self.stdin.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take();
        let text = self.stdin.clone();
        let writer = std::thread::spawn(move || {
            if let (Some(pipe), Some(text)) = (&mut pipe, text) {
                // The program may stop reading: that is what some tests are about.
                let _ = pipe.write_all(&text);
            }
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ended {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            folder: self.folder,
        }
    }

    /// Runs and expects that exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Ended {
        let ended = self.run();
        assert_eq!(
            ended.code, code,
            "\n--- stdout\n{}\n--- stderr\n{}",
            ended.stdout, ended.stderr
        );
        ended
    }

    /// Runs and expects a failure: its code, its words on stderr, nothing on stdout.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, words: &[&str]) -> Ended {
        let ended = self.code(code);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains("error: "), "{}", ended.stderr);
        for word in words {
            assert!(
                ended.stderr.contains(word),
                "{word:?} is missing in\n{}",
                ended.stderr
            );
        }
        ended
    }
}

impl Ended {
    /// Stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("{error}:\n{}", self.stdout),
        }
    }

    #[track_caller]
    pub(crate) fn has(&self, words: &[&str]) {
        for word in words {
            assert!(
                self.stdout.contains(word),
                "{word:?} is missing in\n{}",
                self.stdout
            );
        }
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

/// A saved report of this crate's tests.
pub(crate) fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    path.to_str().unwrap().to_owned()
}

/// A small dense model's config.json.
pub(crate) const CONFIG: &str = r#"{
  "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "torch_dtype": "bfloat16",
  "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16,
  "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936, "max_position_embeddings": 40960,
  "tie_word_embeddings": true, "hidden_act": "silu", "rms_norm_eps": 1e-06, "rope_theta": 1000000
}"#;
