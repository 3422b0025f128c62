// SPDX-License-Identifier: MIT OR Apache-2.0
//! The version of a release, which stands in several files and must be one, and what the changelog
//! says of it.

use anyhow::{Context, Result};

use crate::source;

/// Where the version stands, and the beginning of the line that has it.
const PLACES: &[(&str, &str)] = &[
    ("Cargo.toml", "version = \""),
    ("packaging/rpm/vespera.spec", "Version:"),
    ("packaging/debian/changelog", "vespera ("),
    ("kmod/main.c", "MODULE_VERSION(\""),
    ("docs/packages.md", "version="),
];
/// Where the date of the man pages stands: they are made where there is no changelog.
const PAGES: (&str, &str) = ("manual/src/roff.rs", "pub(crate) const DATE: &str = \"");
const CHANGELOG: &str = "CHANGELOG.md";
/// The heading of what no release has yet.
const UNRELEASED: &str = "Unreleased";

/// The newest section of a changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// What its heading says: a version, or [`UNRELEASED`].
    pub(crate) heading: String,
    /// The date in its heading.
    pub(crate) date: Option<String>,
    /// Its text.
    pub(crate) text: String,
}

/// What keeps this tree from being the release `version`; an empty list if nothing does. Where
/// it is only tried (`dry_run`), the newest section may have no version yet.
pub(crate) fn faults(version: &str, tags: &str, dry_run: bool) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (path, beginning) in PLACES {
        let there = version_in(&read(path)?, beginning);
        if there.as_deref() != Some(version) {
            let there = there.unwrap_or_else(|| "none".to_owned());
            found.push(format!("{path}: the version is {there}, not {version}"));
        }
    }
    let newest = newest(&read(CHANGELOG)?);
    found.extend(section_fault(newest.as_ref(), version, dry_run));
    let pages = version_in(&read(PAGES.0)?, PAGES.1);
    found.extend(newest.and_then(|section| date_fault(&section, pages.as_deref())));
    if tags.lines().any(|tag| tag == format!("v{version}")) {
        found.push(format!("the tag v{version} exists already: this needs a higher version"));
    }
    Ok(found)
}

/// The newest section of our changelog: the notes of the release.
pub(crate) fn notes() -> Result<String> {
    let section = newest(&read(CHANGELOG)?).with_context(|| format!("{CHANGELOG}: no section"))?;
    Ok(section.text)
}

fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(source::root()?.join(path))
        .with_context(|| format!("cannot read {path}"))
}

/// The version in the first line that begins so.
fn version_in(text: &str, beginning: &str) -> Option<String> {
    let rest = text.lines().find_map(|line| line.strip_prefix(beginning))?;
    let is_version = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '~');
    let version: String = rest.trim_start().chars().take_while(|&c| is_version(c)).collect();
    Some(version).filter(|version| !version.is_empty())
}

/// The first section below a heading of the second level, in the format of Keep a Changelog:
/// `## 1.2.3 - 2026-01-31`, the version in brackets or not.
fn newest(changelog: &str) -> Option<Section> {
    let mut lines = changelog.lines().skip_while(|line| !line.starts_with("## "));
    let heading = lines.next()?.strip_prefix("## ")?;
    let (heading, date) = match heading.split_once(" - ") {
        Some((heading, date)) => (heading, Some(date.trim().to_owned())),
        None => (heading, None),
    };
    let heading = heading.trim().trim_start_matches('[').trim_end_matches(']').to_owned();
    let text: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    Some(Section { heading, date, text: text.join("\n").trim().to_owned() })
}

/// What is not released has no date yet; a release has one, which the man pages show, too.
fn date_fault(section: &Section, pages: Option<&str>) -> Option<String> {
    if section.heading == UNRELEASED {
        return None;
    }
    let Some(date) = section.date.as_deref() else {
        return Some(format!("{CHANGELOG}: the section {} has no date", section.heading));
    };
    let (path, pages) = (PAGES.0, pages.unwrap_or("none"));
    let fault = || format!("{path}: the man pages have the date {pages}, the changelog has {date}");
    (pages != date).then(fault)
}

fn section_fault(section: Option<&Section>, version: &str, dry_run: bool) -> Option<String> {
    let Some(section) = section else {
        return Some(format!("{CHANGELOG}: there is no section"));
    };
    let Section { heading, text, .. } = section;
    if !text.lines().any(|line| line.starts_with("- ")) {
        return Some(format!("{CHANGELOG}: the section {heading} lists nothing"));
    }
    if heading == version || dry_run && heading == UNRELEASED {
        return None;
    }
    Some(format!(
        "{CHANGELOG}: the newest section is {heading}; for this release it is `## {version} - DATE`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\nText.\n\n## [1.2.0] - 2026-01-31\n\n### Added\n\n\
                             - one\n\n## 1.1.0 - 2025-12-01\n\n- two\n";

    fn fault(changelog: &str, dry_run: bool) -> Option<String> {
        section_fault(newest(changelog).as_ref(), "1.2.0", dry_run)
    }

    #[test]
    fn the_newest_section_is_read_with_and_without_brackets() {
        let section = newest(CHANGELOG).unwrap();
        assert_eq!(
            (section.heading.as_str(), section.text.as_str()),
            ("1.2.0", "### Added\n\n- one")
        );
        let plain = CHANGELOG.replace("[1.2.0]", "1.2.0");
        assert_eq!(newest(&plain).unwrap().heading, "1.2.0");
        assert_eq!(newest("# Changelog\n"), None);
    }

    #[test]
    fn man_pages_of_another_date_than_the_changelogs_are_a_fault() {
        let fault = |changelog: &str, pages| date_fault(&newest(changelog).unwrap(), pages);
        assert_eq!(fault(CHANGELOG, Some("2026-01-31")), None);
        let other = fault(CHANGELOG, Some("2025-12-01")).unwrap();
        assert!(other.contains("the date 2025-12-01, the changelog has 2026-01-31"), "{other}");
        assert!(fault(CHANGELOG, None).unwrap().contains("the date none"));
        let undated = CHANGELOG.replace(" - 2026-01-31", "");
        assert!(fault(&undated, Some("2026-01-31")).unwrap().contains("has no date"));
        assert_eq!(fault("## Unreleased\n", Some("2026-01-31")), None);
    }

    #[test]
    fn the_date_of_the_man_pages_is_where_the_check_looks() {
        let date = version_in(&read(PAGES.0).unwrap(), PAGES.1).unwrap();
        let parts: Vec<usize> = date.split('-').map(str::len).collect();
        assert_eq!(parts, [4, 2, 2], "{date}");
    }

    #[test]
    fn a_changelog_of_another_version_is_a_fault() {
        assert_eq!(fault(CHANGELOG, false), None);
        let other = fault(&CHANGELOG.replace("[1.2.0]", "1.3.0"), true).unwrap();
        assert!(other.contains("the newest section is 1.3.0"), "{other}");
        assert!(fault("", true).is_some());
    }

    #[test]
    fn unreleased_changes_may_only_be_tried() {
        let unreleased = CHANGELOG.replace("[1.2.0] - 2026-01-31", "Unreleased");
        assert_eq!(fault(&unreleased, true), None);
        let said = fault(&unreleased, false).unwrap();
        assert!(said.contains("`## 1.2.0 - DATE`"), "{said}");
    }

    #[test]
    fn a_section_without_an_entry_is_a_fault() {
        let empty = "## 1.2.0\n\n## 1.1.0\n\n- two\n";
        assert_eq!(fault(empty, true).unwrap(), "CHANGELOG.md: the section 1.2.0 lists nothing");
    }

    #[test]
    fn versions_are_found_in_each_kind_of_file() {
        let (toml, spec) = ("edition = \"2024\"\nversion = \"1.2.0\"\n", "Version: 1.2.0\n");
        assert_eq!(version_in(toml, "version = \"").unwrap(), "1.2.0");
        assert_eq!(version_in(spec, "Version:").unwrap(), "1.2.0");
        assert_eq!(version_in("vespera (1.2.0~rc1) x;", "vespera (").unwrap(), "1.2.0~rc1");
        assert_eq!(version_in("nothing", "Version:"), None);
    }

    #[test]
    fn this_tree_has_one_version_and_could_be_tried_as_a_release() {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(faults(version, "", true).unwrap(), [""; 0]);
        let again = faults(version, &format!("v0.0.1\nv{version}\n"), true).unwrap();
        assert_eq!(again.len(), 1, "{again:?}");
    }
}
