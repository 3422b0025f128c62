// SPDX-License-Identifier: MIT OR Apache-2.0
//! Known failures: what a log shows, why it happens, what to do.
//!
//! Each entry has a log in `image/logs/`, named after its code, that the tests look it up in. They
//! are recorded from the tools, but for `flatpak`, `retired-base` and `rebase-conflict`, which are
//! written by the wording that their tools are known for. The last three are failures of a host,
//! whose journal or terminal `vespera-image explain -` reads as well.

use serde::Serialize;

/// A failure that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Known {
    /// Stable name.
    pub code: &'static str,
    /// What happened.
    pub title: &'static str,
    /// Parts of a log line that tell it; all of one group have to be in the line.
    #[serde(skip)]
    marks: &'static [&'static [&'static str]],
    /// Why it happens.
    pub causes: &'static [&'static str],
    /// What to do about it.
    pub remedies: &'static [&'static str],
}

/// A failure found in a log, or in what an error says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Which one.
    #[serde(flatten)]
    pub known: Known,
    /// The line that tells it.
    pub line: String,
}

/// The narrower ones first: a line is explained by the first entry that fits it.
const KNOWN: &[Known] = &[
    Known {
        code: "driver-headers",
        title: "The headers of the kernel are missing",
        marks: &[
            &["no headers for the kernel", "of the base"],
            &["/usr/src/kernels/", "No such file or directory"],
            &["No match for argument: kernel-devel"],
            &["Unable to find a match: kernel-devel"],
        ],
        causes: &[
            "the repositories have moved on to a newer kernel than the base has",
            "the base is not one of Fedora's kernels",
        ],
        remedies: &[
            "take kernel-devel of exactly this release from the akmods image of the base's \
             stream, or from Fedora's build system",
            "choose another build of the base by `base.tag`",
        ],
    },
    Known {
        code: "driver-source",
        title: "The driver does not compile",
        marks: &[
            &["/source/", ".c:", "error:"],
            &["/source/", ".h:", "error:"],
            &["could not compile the driver"],
        ],
        causes: &[
            "the kernel of the base is newer than the driver knows",
            "the driver's source was changed",
        ],
        remedies: &[
            "the first `error:` above names file and line",
            "with `source: git`, set `maccel.commit` to a commit that is known to build",
        ],
    },
    Known {
        code: "programs-source",
        title: "A program of this repository does not compile",
        marks: &[&["error[E"], &["error: could not compile"]],
        causes: &[
            "its source was changed",
            "the builder's Rust is older than `rust-version` in Cargo.toml",
        ],
        remedies: &[
            "the first `error` above names file and line",
            "`cargo build` in the clone shows the same without an image",
        ],
    },
    Known {
        code: "module-mismatch",
        title: "The module was built for another kernel",
        marks: &[
            &["but the kernel of this root is"],
            &["is for another kernel: its vermagic is"],
            &["version magic", "should be"],
        ],
        causes: &["the base moved between the stage that compiled and the stage that installed"],
        remedies: &["build again; with `base.digest` set, the base cannot move"],
    },
    Known {
        code: "second-kernel",
        title: "A package brought a second kernel",
        marks: &[&["kernels in ", "an image must have exactly one"], &["Multiple kernels found"]],
        causes: &["a package depends on a kernel package, or on a module for another kernel"],
        remedies: &["take it out of `packages.add_rpm`; the kernel comes with `base.stream`"],
    },
    Known {
        code: "package-not-found",
        title: "A package was not found",
        marks: &[
            &["No match for argument:"],
            &["Unable to find a match:"],
            &["Packages not found:"],
        ],
        causes: &[
            "a typing error",
            "the package is called otherwise in this Fedora release",
            "it is in a repository that is not on",
        ],
        remedies: &[
            "`dnf search NAME` and `dnf info NAME` in a container of the base",
            "name its repository in `packages.repositories`",
        ],
    },
    Known {
        code: "dependency-conflict",
        title: "Other packages need what is to be removed, or two packages exclude each other",
        marks: &[
            &["is needed by (installed)"],
            &["nothing provides", "needed by"],
            &["conflicting requests"],
            &["conflicts with", "provided by"],
        ],
        causes: &["the package belongs to the base's own set"],
        remedies: &[
            "`rpm -q --whatrequires NAME` in a container of the base shows who needs it",
            "list those in `packages.remove_rpm` too, or keep the package",
        ],
    },
    Known {
        code: "flatpak",
        title: "A Flatpak cannot be installed",
        marks: &[
            &["Nothing matches", "in remote"],
            &["No remote refs found"],
            &["Can't load metadata", "flathub"],
        ],
        causes: &["a typing error in the identifier", "Flathub does not have it, or is down"],
        remedies: &["look it up at https://flathub.org and copy its identifier"],
    },
    Known {
        code: "retired-base",
        title: "This base is not published",
        marks: &[
            &["ghcr.io/ublue-os/aurora", "denied"],
            &["ghcr.io/ublue-os/aurora", "403"],
            &["ghcr.io/ublue-os/aurora", "does not exist"],
            &["ghcr.io/ublue-os/aurora", "manifest unknown"],
        ],
        causes: &[
            "there is no `aurora-main` and no `aurora-nvidia`: main has no suffix, and the closed \
             NVIDIA driver ended in October 2025; the registry answers as if you had no right",
            "a dated tag or a digest older than 90 days has been deleted",
        ],
        remedies: &[
            "use `base.gpu_variant: main` or `nvidia-open`",
            "take a newer `base.tag` or `base.digest`",
        ],
    },
    Known {
        code: "authentication",
        title: "The registry did not let us in",
        marks: &[
            &["authentication required"],
            &["unauthorized:"],
            &["requested access to the resource is denied"],
            &["registry 403"],
            &["denied: permission_denied"],
        ],
        causes: &[
            "no login, or one that has expired",
            "the workflow's token may not write packages",
            "the package belongs to another repository",
        ],
        remedies: &[
            "`podman login REGISTRY` (or skopeo, or buildah: they share one file)",
            "give the job `packages: write`, and the repository the Admin role at the package",
        ],
    },
    Known {
        code: "disk-space",
        title: "The disk is full",
        marks: &[&["o space left on device"], &["Disk quota exceeded"]],
        causes: &[
            "an image of a desktop takes tens of gigabytes while it is built",
            "images and caches of earlier builds are still there",
        ],
        remedies: &[
            "`podman system prune`, or `buildah rmi --prune`",
            "on a hosted runner, remove its toolchains first",
            "remove packages that you do not need; `--squash` makes fewer layers",
        ],
    },
    Known {
        code: "change-detection",
        title: "A question to a registry or repository went unanswered",
        marks: &[&["no answer about "], &["no answer from "]],
        causes: &[
            "the registry or the network is down",
            "nothing is published yet and the registry hides that behind a refusal",
        ],
        remedies: &[
            "run it again; nothing was decided without an answer",
            "`--force` builds without asking about the published image",
        ],
    },
    Known {
        code: "module-not-loading",
        title: "The module does not load on the host",
        marks: &[
            &["Module maccel not found in directory"],
            &["insert", "maccel", "Key was rejected by service"],
            &["insert", "maccel", "Exec format error"],
            &["maccel: disagrees about version of symbol"],
        ],
        causes: &[
            "the image has no module, or one for another kernel",
            "Secure Boot is on and the key that signed the module is not enrolled",
        ],
        remedies: &[
            "`vesperactl status` on the host names which of the two, and the command that mends it",
            "`vespera-image verify IMAGE` finds a module that is missing or does not fit",
        ],
    },
    Known {
        code: "permission-denied",
        title: "The command may not change the driver's parameters",
        marks: &[&["/sys/module/maccel/parameters/", "ermission denied"]],
        causes: &["the person is not in the group `maccel`", "udev's rule has not run"],
        remedies: &[
            "`sudo vesperactl group add`, then log out and in again",
            "`vesperactl doctor` names each file with another owner or mode",
        ],
    },
    Known {
        code: "rebase-conflict",
        title: "Packages layered on the host keep the new image from being installed",
        marks: &[&["Could not depsolve transaction"]],
        causes: &["a package of `rpm-ostree install` conflicts with one of the new image"],
        remedies: &[
            "`rpm-ostree status` names the layered packages, `rpm-ostree uninstall NAME` removes one",
            "`sudo rpm-ostree rollback` goes back where the new image does not start",
        ],
    },
];

/// Finds known failures in a log, each once, in the order of the log.
pub fn explain(log: &str) -> Vec<Explanation> {
    let mut found: Vec<Explanation> = Vec::new();
    for line in log.lines() {
        let fits = |known: &&Known| {
            known.marks.iter().any(|group| group.iter().all(|mark| line.contains(mark)))
        };
        if let Some(known) = KNOWN.iter().find(fits)
            && found.iter().all(|explanation| explanation.known.code != known.code)
        {
            found.push(Explanation { known: *known, line: line.trim().to_owned() });
        }
    }
    found
}

impl Explanation {
    /// The explanation for a person.
    pub fn text(&self) -> String {
        let mut text = format!("{} ({})\n  {}\n", self.known.title, self.known.code, self.line);
        for (word, lines) in [("because", self.known.causes), ("try", self.known.remedies)] {
            for line in lines {
                text.push_str(&format!("  {word:<8} {line}\n"));
            }
        }
        text
    }

    /// The explanation as Markdown, for the summary of a job.
    pub fn markdown(&self) -> String {
        let Known { code, title, causes, remedies, .. } = self.known;
        let mut text = format!("### {title} (`{code}`)\n\n```\n{}\n```\n\n", self.line);
        for (word, lines) in [("Because", causes), ("Try", remedies)] {
            for line in lines {
                text.push_str(&format!("- {word}: {line}\n"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn every_known_failure_is_found_in_its_recorded_log_and_every_log_is_known() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/logs");
        let mut seen = BTreeSet::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let code = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let found = explain(&fs::read_to_string(&path).unwrap());
            assert_eq!(found.first().map(|first| first.known.code), Some(code.as_str()));
            assert_eq!(found.len(), 1, "{code}: {found:#?}");
            seen.insert(code);
        }
        let known: BTreeSet<String> = KNOWN.iter().map(|known| known.code.to_owned()).collect();
        assert_eq!(seen, known);
    }

    #[test]
    fn explanation_shows_the_line_the_causes_and_what_to_do() {
        let log = "Copying blob\nwriting blob: write /var/tmp/x: no space left on device\nagain: \
                   no space left on device\n";
        let found = explain(log);
        assert_eq!(found.len(), 1);
        let text = found[0].text();
        assert!(text.starts_with("The disk is full (disk-space)\n  writing blob:"), "{text}");
        assert!(text.contains("  because  an image") && text.contains("  try      `podman"));
    }

    #[test]
    fn healthy_log_is_not_explained() {
        let log = "rpm htop: installed\nmodule installed /usr/lib/modules/6.17.1/extra/maccel\n\
                   kernel 6.17.1: the only one\nCopying blob sha256:1\n";
        assert_eq!(explain(log), []);
    }
}
