// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the headers of a kernel come from, the best source first.
//!
//! Fedora's repositories keep the newest kernel only, and a base often has an older one. The
//! kernel RPMs that Universal Blue keeps beside its modules are the very ones the base was made
//! of, for some ninety days; Fedora's build system keeps every kernel that Fedora built.

use camino::{Utf8Path, Utf8PathBuf};

use crate::customize::Report;
use crate::inspect;
use crate::registry::{self, Registry};
use crate::tool::{self, Tools};

const FOLDER: &str = "usr/src/kernels";
const AKMODS: &str = "ghcr.io/ublue-os/akmods";
/// Kernels of Aurora's streams; a release is found under the one it was built as.
const FLAVOURS: &[&str] = &["coreos-stable", "main"];
const BUILD_SYSTEM: &str = "https://kojipkgs.fedoraproject.org/packages/kernel";
/// Fedora's updates that newer ones have replaced.
const ARCHIVE: &str = "fedora-repos-archive";

/// Headers that are nowhere to be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Every source was tried.
    #[error(
        "no headers for the kernel {release} of the base; choose another build of it by `base.tag`, \
         or give the build an image with its kernel-devel (--headers). Tried:\n{}",
        tried.join("\n")
    )]
    Nowhere {
        /// The kernel release.
        release: String,
        /// Each source, with why not.
        tried: Vec<String>,
    },
    /// A program is missing.
    #[error(transparent)]
    Tool(#[from] tool::Error),
}

/// Finds the headers of a release, and installs them where they are not there yet.
///
/// # Errors
///
/// When no source has them; the error tells each that was tried.
pub fn find(
    base: &Utf8Path,
    release: &str,
    rpms: &Utf8Path,
    tools: &dyn Tools,
    report: &mut dyn Report,
) -> Result<Utf8PathBuf, Error> {
    find_below("/".into(), base, release, rpms, tools, report)
}

fn find_below(
    builder: &Utf8Path,
    base: &Utf8Path,
    release: &str,
    rpms: &Utf8Path,
    tools: &dyn Tools,
    report: &mut dyn Report,
) -> Result<Utf8PathBuf, Error> {
    let mut tried = Vec::new();
    for (name, root) in [("the base", base), ("the builder", builder)] {
        let folder = root.join(FOLDER).join(release);
        if folder.is_dir() {
            report.line(&format!("headers: {folder}, of {name}"));
            return Ok(folder);
        }
        tried.push(format!("  {name}: no {folder}"));
    }
    let installed = builder.join(FOLDER).join(release);
    for source in packaged(release, rpms, &mut tried) {
        let mut args = vec!["--assumeyes", "install"];
        args.extend(source.options.iter().map(String::as_str));
        args.push(&source.package);
        let outcome = tools.outcome("dnf5", &args, "install the headers of the kernel")?;
        if outcome.success() && installed.is_dir() {
            report.line(&format!("headers: {installed}, from {}", source.name));
            return Ok(installed);
        }
        tried.push(format!("  {}: {}", source.name, reason(&outcome.output())));
    }
    Err(Error::Nowhere { release: release.to_owned(), tried })
}

/// The line in which dnf says why; it ends with advice, which is not it.
fn reason(said: &str) -> &str {
    let fault = |line: &&str| {
        ["No match for argument", "rror", "ailed to"].iter().any(|mark| line.contains(mark))
    };
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    lines().rfind(fault).or_else(|| lines().next_back()).unwrap_or("no word")
}

/// A package with the headers.
struct Source {
    name: &'static str,
    package: String,
    options: Vec<String>,
}

fn packaged(release: &str, rpms: &Utf8Path, tried: &mut Vec<String>) -> Vec<Source> {
    let mut sources = Vec::new();
    let file = rpms.join(format!("kernel-rpms/kernel-devel-{release}.rpm"));
    if file.is_file() {
        let (name, package) = ("the image of kernel RPMs", file.into_string());
        sources.push(Source { name, package, options: Vec::new() });
    } else {
        tried.push(format!("  the image of kernel RPMs: no {file}"));
    }
    match build_system(release) {
        Some(package) => {
            sources.push(Source { name: "Fedora's build system", package, options: Vec::new() });
        }
        None => tried.push("  Fedora's build system: not a kernel of Fedora's".to_owned()),
    }
    let package = format!("kernel-devel-{release}");
    let options = Vec::new();
    sources.push(Source { name: "the repositories", package: package.clone(), options });
    let options = vec!["--enable-repo=updates-archive".to_owned(), ARCHIVE.to_owned()];
    sources.push(Source { name: "the archive of updates", package, options });
    sources
}

/// `.../7.1.4/200.fc44/x86_64/kernel-devel-7.1.4-200.fc44.x86_64.rpm`.
fn build_system(release: &str) -> Option<String> {
    let (version, rest) = release.split_once('-')?;
    let (build, arch) = rest.rsplit_once('.')?;
    build
        .contains(".fc")
        .then(|| format!("{BUILD_SYSTEM}/{version}/{build}/{arch}/kernel-devel-{release}.rpm"))
}

/// The image with the RPMs of a base's kernel, by digest, if the registry has one.
///
/// # Errors
///
/// When the registry gives no answer.
pub fn image(
    registry: &dyn Registry,
    base: &inspect::Base,
) -> Result<Option<String>, registry::Error> {
    let Some(fedora) = base.fedora else { return Ok(None) };
    for flavour in FLAVOURS {
        let reference = format!("{AKMODS}:{flavour}-{fedora}-{}", base.kernel);
        if let Some(found) = registry.inspect(&reference)? {
            return Ok(Some(format!("{AKMODS}@{}", found.digest)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::{FakeTools, Root, failed, ok};

    const RELEASE: &str = "7.1.4-200.fc44.x86_64";

    fn look(roots: [&Root; 3], tools: &FakeTools) -> Result<(Utf8PathBuf, String), Error> {
        let [builder, base, rpms] = roots.map(Root::path);
        let mut report = Vec::new();
        let found = find_below(builder, base, RELEASE, rpms, tools, &mut report)?;
        Ok((found, report.join("\n")))
    }

    #[test]
    fn headers_of_the_base_and_of_the_builder_need_no_package() {
        let [builder, base, rpms] = [Root::new(), Root::new(), Root::new()];
        let of_builder = builder.dir(&format!("{FOLDER}/{RELEASE}"));
        let none = FakeTools::default();
        assert_eq!(look([&builder, &base, &rpms], &none).unwrap().0, of_builder);
        let of_base = base.dir(&format!("{FOLDER}/{RELEASE}"));
        assert_eq!(look([&builder, &base, &rpms], &none).unwrap().0, of_base);
    }

    #[test]
    fn packages_are_tried_the_best_first_until_one_brings_the_headers() {
        let [builder, base, rpms] = [Root::new(), Root::new(), Root::new()];
        let rpm = rpms.file(&format!("kernel-rpms/kernel-devel-{RELEASE}.rpm"), "rpm");
        let folder = builder.path().join(FOLDER).join(RELEASE);
        let made = folder.clone();
        let tools = FakeTools::default().with("dnf5", move |args| {
            if args.contains(&"--enable-repo=updates-archive") {
                std::fs::create_dir_all(&made).unwrap();
                return ok("Complete!");
            }
            failed("Failed to resolve the transaction\nNo match for argument")
        });
        let (found, report) = look([&builder, &base, &rpms], &tools).unwrap();
        assert_eq!(found, folder);
        assert!(report.ends_with("from the archive of updates"), "{report}");
        let asked: Vec<String> =
            tools.calls().iter().map(|call| call.rsplit(' ').next().unwrap().to_owned()).collect();
        let package = format!("kernel-devel-{RELEASE}");
        let url = format!("{BUILD_SYSTEM}/7.1.4/200.fc44/x86_64/{package}.rpm");
        assert_eq!(asked, [rpm.as_str(), &url, &package, &package]);
    }

    #[test]
    fn nowhere_tells_every_source_and_why_not() {
        let [builder, base, rpms] = [Root::new(), Root::new(), Root::new()];
        let log = include_str!("../../logs/package-not-found.log");
        let tools = FakeTools::default().with("dnf5", |_| failed(log));
        let error = look([&builder, &base, &rpms], &tools).unwrap_err().to_string();
        for part in [
            "the base: no",
            "the builder: no",
            "the image of kernel RPMs: no",
            "Fedora's build system: No match",
            "the repositories: No match",
            "base.tag",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert_eq!(build_system("6.12.1-generic"), None);
    }
}
