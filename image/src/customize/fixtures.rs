// SPDX-License-Identifier: MIT OR Apache-2.0
//! Roots, modules and named fakes of the programs for the tests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use module_check::fixtures::ModuleBuilder;

use crate::tool::{self, Outcome, Tools};

/// A temporary root folder.
#[derive(Debug)]
pub(crate) struct Root {
    dir: tempfile::TempDir,
}

impl Root {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.dir.path()).unwrap()
    }

    pub(crate) fn dir(&self, path: &str) -> Utf8PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn link(&self, target: &str, path: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    pub(crate) fn kernel(&self, release: &str) {
        self.file(&format!("usr/lib/modules/{release}/vmlinuz"), "kernel");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.path().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.path().join(path)).unwrap().permissions().mode() & 0o7777
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.path().join(path).symlink_metadata().is_ok()
    }
}

type Answer = Box<dyn Fn(&[&str]) -> Outcome>;

/// Programs that answer as told and remember how they were called. A program without an answer
/// is one that is not installed.
#[derive(Default)]
pub(crate) struct FakeTools {
    answers: BTreeMap<String, Answer>,
    calls: RefCell<Vec<String>>,
}

impl fmt::Debug for FakeTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeTools").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl FakeTools {
    pub(crate) fn with(
        mut self,
        program: &str,
        answer: impl Fn(&[&str]) -> Outcome + 'static,
    ) -> Self {
        self.answers.insert(program.to_owned(), Box::new(answer));
        self
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }
}

impl Tools for FakeTools {
    fn outcome(&self, program: &str, args: &[&str], purpose: &str) -> Result<Outcome, tool::Error> {
        self.calls.borrow_mut().push(format!("{program} {}", args.join(" ")));
        let answer = self.answers.get(program).ok_or_else(|| tool::Error::Missing {
            program: program.to_owned(),
            purpose: purpose.to_owned(),
        })?;
        Ok(answer(args))
    }

    fn follow(
        &self,
        program: &str,
        args: &[&str],
        purpose: &str,
        line: &mut dyn FnMut(&str),
    ) -> Result<i32, tool::Error> {
        let outcome = self.outcome(program, args, purpose)?;
        outcome.output().lines().for_each(line);
        Ok(outcome.code)
    }
}

pub(crate) fn ok(stdout: &str) -> Outcome {
    Outcome { code: 0, stdout: stdout.to_owned(), stderr: String::new() }
}

pub(crate) fn failed(stderr: &str) -> Outcome {
    Outcome { code: 1, stdout: String::new(), stderr: stderr.to_owned() }
}

/// What the depmod here writes of symbols, whatever modules there are.
pub(crate) const SYMBOLS: &str = "symbols";

/// A depmod that lists what lies under the release's folder, as the real one does.
pub(crate) fn depmod(args: &[&str]) -> Outcome {
    let ["-a", "-b", root, "-o", out, release] = args else { return failed("wrong arguments") };
    let base = Utf8Path::new(root).join("usr/lib/modules").join(release);
    let path = "extra/maccel/maccel.ko.xz";
    let listed = if base.join(path).exists() { format!("{path}:\n") } else { String::new() };
    let out = Utf8Path::new(out).join("lib/modules").join(release);
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("modules.dep"), listed).unwrap();
    fs::write(out.join("modules.symbols.bin"), SYMBOLS).unwrap();
    ok("")
}

/// A `maccel.ko` for `release`.
pub(crate) fn module(release: &str) -> Vec<u8> {
    ModuleBuilder::new(release).bytes()
}
