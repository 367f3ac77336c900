//! Reads version numbers out of what tools print about themselves.

/// Numbers of a version; compares as versions do.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Version(Vec<u32>);

impl Version {
    /// The first word of `text` that starts like a version: `trunk 0.21.14`, `wasm-opt version 132 (version_132)`.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(Self::parse)
    }

    /// Reads `0.21.14`, `132`, `156.0.8078.79`; what follows the numbers (`-beta.1`) is dropped.
    fn parse(word: &str) -> Option<Self> {
        let end = word
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(word.len());
        let numbers: Option<Vec<u32>> = word[..end].split('.').map(|part| part.parse().ok()).collect();
        numbers.map(Self)
    }

    /// The first number.
    pub(crate) fn major(&self) -> u32 {
        self.0.first().copied().unwrap_or(0)
    }

    /// Whether a requirement `^self` of Cargo allows `other`: at least this, and the first number that is not zero kept.
    pub(crate) fn allows(&self, other: &Self) -> bool {
        let fixed = self.0.iter().take_while(|number| **number == 0).count() + 1;
        other >= self && other.0.iter().take(fixed).eq(self.0.iter().take(fixed))
    }
}

impl std::str::FromStr for Version {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| anyhow::anyhow!("`{text}` is not a version"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn found(text: &str, numbers: &[u32]) {
        assert_eq!(Version::find(text), Some(Version(numbers.to_vec())), "{text}");
    }

    #[test]
    fn version_is_found_in_what_tools_print() {
        found("trunk 0.21.14\n", &[0, 21, 14]);
        found("wasm-opt version 132 (version_132)", &[132]);
        found("wasm-opt version 116 (version_116-37-g2d4d4e1)", &[116]);
        found(
            "Chromium 156.0.8078.79 built on Debian GNU/Linux 12",
            &[156, 0, 8078, 79],
        );
        found("trunk 0.22.0-beta.1", &[0, 22, 0]);
        assert_eq!(Version::find("no number here"), None);
    }

    #[test]
    fn caret_requirement_keeps_the_first_number_that_is_not_zero() {
        let case = |required: &str, found: &str| {
            let (required, found) = (Version::find(required), Version::find(found));
            required
                .zip(found)
                .is_some_and(|(required, found)| required.allows(&found))
        };
        assert!(case("0.21.14", "0.21.14"));
        assert!(case("0.21.14", "0.21.20"));
        assert!(!case("0.21.14", "0.21.13"));
        assert!(!case("0.21.14", "0.22.0"));
        assert!(case("1.2", "1.10"));
        assert!(!case("1.2", "2.0"));
    }
}
