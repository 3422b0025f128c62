// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where Debian's packages come from: the machine's own apt configuration.
//!
//! The repository names no mirror. On machines without one in their configuration
//! (Fedora, Ubuntu) `VESPERA_DEBIAN_MIRROR` says it.

use anyhow::{Context, Result, bail};
use camino::Utf8Path;

/// The archive of Debian's releases and the one of their security updates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// For example `https://mirror.example/debian`.
    pub(crate) main: String,
    /// For example `https://mirror.example/debian-security`.
    pub(crate) security: String,
}

impl Mirror {
    /// Reads `VESPERA_DEBIAN_MIRROR`, else the machine's apt configuration.
    pub(crate) fn find() -> Result<Self> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(main) = set("VESPERA_DEBIAN_MIRROR") {
            let security = set("VESPERA_DEBIAN_SECURITY_MIRROR")
                .unwrap_or_else(|| format!("{}-security", main.trim_end_matches('/')));
            return Ok(Self { main: main.trim_end_matches('/').to_owned(), security });
        }
        let mut uris = Vec::new();
        let apt = Utf8Path::new("/etc/apt");
        let mut files = vec![apt.join("sources.list")];
        if let Ok(folder) = apt.join("sources.list.d").read_dir_utf8() {
            files.extend(folder.filter_map(|entry| Some(entry.ok()?.into_path())));
            // apt reads no others (sources.list(5)): backups and disabled ones stay out.
            files.retain(|file| matches!(file.extension(), Some("list" | "sources")));
        }
        files.sort();
        for file in files {
            if let Ok(text) = std::fs::read_to_string(&file) {
                uris.extend(uris_of(&text));
            }
        }
        // A cloud image's `mirror+file:` names a list of addresses, best first.
        for uri in &mut uris {
            if let Some(list) = uri.strip_prefix("mirror+file:")
                && let Ok(text) = std::fs::read_to_string(list)
                && let Some(first) = text.split_whitespace().next()
            {
                *uri = first.trim_end_matches('/').to_owned();
            }
        }
        Self::among(&uris).context(
            "no Debian mirror in this machine's apt configuration; \
             set VESPERA_DEBIAN_MIRROR to the address of one, ending in /debian",
        )
    }

    fn among(uris: &[String]) -> Result<Self> {
        let ending = |end: &str| uris.iter().find(|uri| uri.ends_with(end)).cloned();
        let Some(main) = ending("/debian") else { bail!("none of {uris:?} ends in /debian") };
        let security = ending("/debian-security").unwrap_or_else(|| format!("{main}-security"));
        Ok(Self { main, security })
    }

    /// The apt source lines for these suites; a suite `NAME-security` comes from the
    /// security archive.
    pub(crate) fn sources(&self, suites: &[&str]) -> Vec<String> {
        suites
            .iter()
            .map(|suite| {
                let from = if suite.ends_with("-security") { &self.security } else { &self.main };
                format!("deb {from} {suite} main")
            })
            .collect()
    }
}

/// The addresses in an apt source file, in either of its two formats, without a
/// final slash; those of a file with a disabled stanza are left out.
fn uris_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if text.lines().any(|line| line.trim().eq_ignore_ascii_case("Enabled: no")) {
        return found;
    }
    for line in text.lines().map(str::trim) {
        if let Some(uris) = line.strip_prefix("URIs:") {
            found.extend(uris.split_whitespace().map(str::to_owned));
        } else if let Some(rest) = line.strip_prefix("deb ") {
            let rest = rest.trim_start();
            // `deb [option=value …] URI suite component…`
            let rest = rest
                .strip_prefix('[')
                .map_or(rest, |options| options.split_once(']').map_or("", |(_, after)| after));
            found.extend(rest.split_whitespace().next().map(str::to_owned));
        }
    }
    found.iter().map(|uri| uri.trim_end_matches('/').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_of_apt_sources_are_read() {
        let text = "Types: deb\nURIs: http://a.example/debian/\nSuites: x\n\
                    # deb http://no.example/debian x main\n\
                    deb [arch=amd64 signed-by=/k] https://b.example/debian-security x main\n";
        assert_eq!(uris_of(text), ["http://a.example/debian", "https://b.example/debian-security"]);
    }

    #[test]
    fn a_disabled_source_is_no_mirror() {
        assert!(uris_of("Types: deb\nURIs: http://a.example/debian\nEnabled: no\n").is_empty());
    }

    #[test]
    fn the_security_archive_is_guessed_beside_the_main_one() {
        let mirror = Mirror::among(&["http://a.example/debian".into()]).unwrap();
        assert_eq!(mirror.security, "http://a.example/debian-security");
        assert_eq!(
            mirror.sources(&["trixie", "trixie-security"]),
            [
                "deb http://a.example/debian trixie main",
                "deb http://a.example/debian-security trixie-security main"
            ]
        );
    }

    #[test]
    fn other_archives_are_not_taken_for_debian() {
        assert!(Mirror::among(&["http://archive.example/ubuntu".into()]).is_err());
    }
}
