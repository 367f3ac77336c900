//! The local Hugging Face cache: `models--org--name/refs/<revision>` holds the commit, `snapshots/<commit>` the files.
use std::{
    env, fs,
    path::{Component, Path, PathBuf},
};

/// The folder of a model's files, if it is in the cache.
pub(crate) fn snapshot(id: &str, revision: Option<&str>) -> Option<PathBuf> {
    snapshot_in(&folder()?, id, revision.unwrap_or("main"))
}

/// As huggingface_hub looks for it.
fn folder() -> Option<PathBuf> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("HF_HUB_CACHE")
        .or_else(|| set("HUGGINGFACE_HUB_CACHE"))
        .or_else(|| Some(set("HF_HOME")?.join("hub")))
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("huggingface/hub")))
        .or_else(|| Some(env::home_dir()?.join(".cache/huggingface/hub")))
}

fn snapshot_in(cache: &Path, id: &str, revision: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = id.split('/').collect();
    if parts.len() > 2 || !parts.iter().all(|part| is_name(part)) || !is_inside(revision) {
        return None;
    }
    let repository = cache.join(format!("models--{}", parts.join("--")));
    let commit = fs::read_to_string(repository.join("refs").join(revision))
        .map_or_else(|_| revision.to_owned(), |text| text.trim().to_owned());
    if !is_name(&commit) {
        return None;
    }
    let snapshot = repository.join("snapshots").join(commit);
    snapshot.is_dir().then_some(snapshot)
}

fn is_name(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !part.is_empty() && part.len() <= 96 && part.chars().all(plain) && !part.starts_with('.')
}

/// A relative path that stays below where it starts.
fn is_inside(revision: &str) -> bool {
    let normal = |part: Component<'_>| matches!(part, Component::Normal(_));
    !revision.is_empty() && Path::new(revision).components().all(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_a_reference_to_its_snapshot() {
        let cache = tempfile::tempdir().unwrap();
        let repository = cache.path().join("models--org--name");
        let snapshot = repository.join("snapshots/abc123");
        fs::create_dir_all(&snapshot).unwrap();
        fs::create_dir_all(repository.join("refs/pr")).unwrap();
        fs::write(repository.join("refs/main"), "abc123\n").unwrap();
        fs::write(repository.join("refs/pr/1"), "gone").unwrap();
        let found = |revision| snapshot_in(cache.path(), "org/name", revision);
        assert_eq!(found("main"), Some(snapshot.clone()));
        assert_eq!(found("abc123"), Some(snapshot));
        assert_eq!(found("pr/1"), None);
        assert_eq!(found("v2"), None);
    }

    #[test]
    fn never_leaves_the_cache() {
        let cache = tempfile::tempdir().unwrap();
        fs::create_dir_all(cache.path().join("models--org--name/snapshots")).unwrap();
        for (id, revision) in [
            ("../name", "main"),
            ("org/..", "main"),
            ("org/name", "../snapshots"),
            ("org/name", ".."),
            ("org/name", "/etc"),
            ("a/b/c", "main"),
        ] {
            assert_eq!(snapshot_in(cache.path(), id, revision), None, "{id} {revision}");
        }
    }
}
