// SPDX-License-Identifier: MIT OR Apache-2.0
//! The module on disk: is it there for this kernel, would the kernel take it?

use module_check::signature::Appended;
use module_check::tree::{self, KernelTree, Lookup};
use module_check::vermagic::{self, Fit};
use module_check::{ModuleFile, Root, symbols};
use serde::{Deserialize, Serialize};

use crate::MACCEL;
use crate::catalogue::{
    MODULE_MISSING, MODULE_NOT_INDEXED, MODULE_SYMBOLS_DIFFER, MODULE_UNREADABLE,
    MODULE_WRONG_KERNEL,
};
use crate::check::Check;
use crate::origin::{UPGRADE, reinstall};

/// What the installed file says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleFacts {
    /// Its path inside the root.
    pub path: String,
    /// `MODULE_VERSION`; the public driver states none.
    pub version: Option<String>,
    /// The hash of its sources.
    pub srcversion: Option<String>,
    /// The version magic, without the trailing space.
    pub vermagic: Option<String>,
    /// Who signed it.
    pub signer: Option<String>,
}

/// The installed module of one kernel, and what was found about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The file's own words, if it could be read.
    pub facts: Option<ModuleFacts>,
    /// Its appended signature, if it could be read.
    pub signature: Option<Appended>,
    /// The findings.
    pub checks: Vec<Check>,
}

impl Installed {
    /// Completes a quick look once the kernel has taken the module: the symbols do agree.
    #[must_use]
    pub fn taken(mut self, root: &Root) -> Self {
        let place = self.checks.iter().position(|check| check.code == MODULE_WRONG_KERNEL.code);
        if let Some(place) = place {
            let proof = Check::ok(&MODULE_SYMBOLS_DIFFER, root, "the kernel has taken the module");
            self.checks.insert(place + 1, proof);
        }
        self
    }

    /// Without a file that could be read.
    pub(crate) fn unread(checks: Vec<Check>) -> Self {
        Self { facts: None, signature: None, checks }
    }
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What is needed before loading: the kernel compares the symbols itself.
    Quick,
    /// Everything; a kernel's symbol list takes a moment to unpack.
    Full,
}

/// Examines the module of `kernel` under `root`.
pub fn examine(root: &Root, kernel: &str) -> Installed {
    examine_to(root, kernel, Depth::Full)
}

/// Examines the module of `kernel` under `root` as closely as asked.
pub fn examine_to(root: &Root, kernel: &str, depth: Depth) -> Installed {
    let tree = KernelTree::new(root, kernel);
    let mut checks = Vec::new();
    let path = match tree.find(MACCEL) {
        Ok(Lookup::Found(path)) => {
            checks.push(Check::ok(&MODULE_MISSING, root, root.inside(&path)));
            checks.push(Check::ok(&MODULE_NOT_INDEXED, root, "listed in modules.dep"));
            path
        }
        Ok(Lookup::NotIndexed(path)) => {
            checks.push(Check::ok(&MODULE_MISSING, root, root.inside(&path)));
            checks.push(
                Check::failed(
                    &MODULE_NOT_INDEXED,
                    root,
                    format!("modules.dep of {kernel} does not list {}", root.inside(&path)),
                )
                .remedy(index(root, kernel)),
            );
            path
        }
        Ok(Lookup::Missing) => {
            checks.push(missing(root, kernel));
            return Installed::unread(checks);
        }
        Err(error) => {
            checks.push(Check::unknown(&MODULE_MISSING, root, error.to_string()));
            return Installed::unread(checks);
        }
    };
    let module = match ModuleFile::read(&path) {
        Ok(module) => module,
        Err(error) if error.is_permission() => {
            checks.push(Check::unknown(&MODULE_UNREADABLE, root, error.to_string()));
            return Installed::unread(checks);
        }
        Err(error) => {
            checks.push(
                Check::failed(&MODULE_UNREADABLE, root, error.to_string())
                    .remedy(reinstall(root, kernel)),
            );
            return Installed::unread(checks);
        }
    };
    checks.push(Check::ok(&MODULE_UNREADABLE, root, ""));
    checks.push(fits(root, &tree, &module));
    if depth == Depth::Full {
        checks.push(symbols(root, &tree, &module));
    }
    let text = |value: Option<&str>| value.map(|value| value.trim_end().to_owned());
    let facts = ModuleFacts {
        path: root.inside(&path).into_string(),
        version: text(module.version()),
        srcversion: text(module.srcversion()),
        vermagic: text(module.vermagic()),
        signer: match &module.signature {
            Appended::Signature(signature) => {
                Some(signature.signer.clone().unwrap_or_else(|| signature.key_id.clone()))
            }
            Appended::None | Appended::Damaged(_) => None,
        },
    };
    Installed { facts: Some(facts), signature: Some(module.signature), checks }
}

/// The kernels under `root`.
pub fn kernels(root: &Root) -> Result<Vec<String>, tree::TreeError> {
    tree::releases(root)
}

fn missing(root: &Root, kernel: &str) -> Check {
    let detail = match tree::releases_with(root, MACCEL) {
        Ok(others) if others.is_empty() => {
            format!("the kernel is {kernel}; there is no maccel module for any kernel here")
        }
        Ok(others) => format!(
            "the kernel is {kernel}; the module here is for {}",
            listed(others.iter().map(String::as_str))
        ),
        Err(error) => format!("the kernel is {kernel}; {error}"),
    };
    Check::failed(&MODULE_MISSING, root, detail).remedy(reinstall(root, kernel))
}

/// At most five, as long lists hide the point.
fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let rest = names.len().saturating_sub(SHOWN);
    let mut text = names.take(SHOWN).collect::<Vec<_>>().join(", ");
    if rest > 0 {
        text.push_str(&format!(" and {rest} more"));
    }
    text
}

fn fits(root: &Root, tree: &KernelTree, module: &ModuleFile) -> Check {
    let Some(own) = module.vermagic() else {
        return Check::failed(&MODULE_WRONG_KERNEL, root, "it carries no version magic")
            .remedy(reinstall(root, tree.release()));
    };
    let differs = |module: &str, kernel: &str| {
        Check::failed(
            &MODULE_WRONG_KERNEL,
            root,
            format!("the module is for '{}', the kernel is '{}'", module.trim(), kernel.trim()),
        )
        .remedy(reinstall(root, tree.release()))
    };
    match tree.kernel_vermagic() {
        Some(kernel) => match vermagic::compare(own, &kernel, module.has_crcs()) {
            Fit::Same => Check::ok(&MODULE_WRONG_KERNEL, root, own.trim()),
            Fit::SymbolsDecide => Check::ok(
                &MODULE_WRONG_KERNEL,
                root,
                format!(
                    "made for {}, and this kernel goes by symbol versions",
                    vermagic::release(own)
                ),
            ),
            Fit::Differs => differs(own, &kernel),
        },
        // Without any module of the kernel's own, the release is all there is to compare.
        None if vermagic::release(own) == tree.release() => Check::ok(
            &MODULE_WRONG_KERNEL,
            root,
            format!("{}; only the release could be compared", own.trim()),
        ),
        None if module.has_crcs() => Check::unknown(
            &MODULE_WRONG_KERNEL,
            root,
            format!(
                "made for {}; {} has no module of its own to compare with",
                vermagic::release(own),
                tree.release()
            ),
        ),
        None => differs(own, tree.release()),
    }
}

fn symbols(root: &Root, tree: &KernelTree, module: &ModuleFile) -> Check {
    let kind = &MODULE_SYMBOLS_DIFFER;
    if !module.has_crcs() {
        return Check::ok(kind, root, "it carries no symbol versions");
    }
    let Some(kernel) = symbols::of_kernel(root, tree, &module.crcs) else {
        return Check::unknown(kind, root, format!("{} has no symbol list", tree.release()));
    };
    let found = symbols::compare(&module.crcs, &kernel);
    let names = |names: &[String]| listed(names.iter().map(String::as_str));
    let made_for = module.vermagic().map_or("an unnamed kernel", vermagic::release);
    let releases = format!("made for {made_for}, the kernel is {}", tree.release());
    let fault = if !found.differing.is_empty() {
        format!("{releases}: another version of {} in {}", names(&found.differing), kernel.source)
    } else if !found.missing.is_empty() {
        format!("{releases}: no {} in {}", names(&found.missing), kernel.source)
    } else {
        let total = module.crcs.len();
        return if found.same == 0 {
            Check::unknown(kind, root, format!("{} tells nothing about them", kernel.source))
        } else {
            let detail = format!("{} of {total} compared with {}", found.same, kernel.source);
            Check::ok(kind, root, detail)
        };
    };
    Check::failed(kind, root, fault).remedy(reinstall(root, tree.release()))
}

/// The command that lists the module in modules.dep; on hosts whose `/usr` is the image's only
/// another image can.
fn index(root: &Root, kernel: &str) -> String {
    if root.exists(crate::ostree::BOOTED) {
        UPGRADE.to_owned()
    } else {
        format!("sudo depmod -a {kernel}")
    }
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::{FixtureRoot, ModuleBuilder};

    use super::*;
    use crate::check::{State, causes};

    fn fault(root: &Root, kernel: &str) -> Option<(String, String)> {
        let installed = examine(root, kernel);
        let cause = causes(&installed.checks).next()?;
        Some((cause.code.to_string(), cause.detail.clone()))
    }

    #[test]
    fn a_fitting_module_passes_every_check() {
        let fixture = FixtureRoot::new();
        fixture.kernel_with_module("6.1.0");
        let installed = examine(fixture.root(), "6.1.0");
        assert_eq!(State::of(&installed.checks), State::Healthy, "{:?}", installed.checks);
        let facts = installed.facts.unwrap();
        assert_eq!(facts.path, "/usr/lib/modules/6.1.0/extra/maccel/maccel.ko");
        assert_eq!(facts.vermagic.as_deref(), Some("6.1.0 SMP preempt mod_unload modversions"));
    }

    #[test]
    fn a_module_for_another_kernel_only_names_both_releases() {
        let fixture = FixtureRoot::new();
        fixture.kernel_with_module("6.1.0-49-amd64");
        fixture.kernel("6.12.0-1-amd64");
        let (code, detail) = fault(fixture.root(), "6.12.0-1-amd64").unwrap();
        assert_eq!(code, "module-missing");
        assert_eq!(detail, "the kernel is 6.12.0-1-amd64; the module here is for 6.1.0-49-amd64");
    }

    #[test]
    fn each_fault_of_the_file_has_its_own_code() {
        let kernel = "6.1.0";
        let own = ["kernel/drivers/hid/hid-generic.ko", "extra/maccel/maccel.ko"];
        let real_time = ModuleBuilder::new(kernel)
            .vermagic("6.1.0 SMP preempt_rt mod_unload modversions ")
            .crcs(true);
        let table = [
            (real_time.bytes(), true, "module-wrong-kernel"),
            (
                ModuleBuilder::new(kernel).crcs(true).crc("input_event", 99).bytes(),
                true,
                "module-symbols-differ",
            ),
            (ModuleBuilder::new("6.0.0").bytes(), true, "module-wrong-kernel"),
            (b"not a module".to_vec(), true, "module-unreadable"),
            (ModuleBuilder::new(kernel).bytes(), false, "module-not-indexed"),
        ];
        for (bytes, indexed, code) in table {
            let fixture = FixtureRoot::new();
            fixture.kernel(kernel);
            fixture.file("usr/lib/modules/6.1.0/extra/maccel/maccel.ko", &bytes);
            if indexed {
                fixture.index(kernel, &own);
            }
            assert_eq!(fault(fixture.root(), kernel).unwrap().0, code);
        }
    }

    #[test]
    fn an_unlisted_module_is_listed_where_that_can_be_written() {
        let fixture = FixtureRoot::new();
        fixture.kernel("6.1.0");
        fixture.module("6.1.0", &ModuleBuilder::new("6.1.0"));
        let remedy = || {
            let checks = examine(fixture.root(), "6.1.0").checks;
            let check = checks.into_iter().find(|check| check.code == "module-not-indexed");
            check.and_then(|check| check.remedy)
        };
        assert_eq!(remedy().as_deref(), Some("sudo depmod -a 6.1.0"));
        fixture.file(crate::ostree::BOOTED, b"");
        assert_eq!(remedy().as_deref(), Some(UPGRADE));
    }

    #[test]
    fn with_symbol_versions_another_release_alone_is_no_fault() {
        let fixture = FixtureRoot::new();
        fixture.kernel("6.1.0-50");
        fixture.module("6.1.0-50", &ModuleBuilder::new("6.1.0-49").crcs(true));
        fixture.index("6.1.0-50", &["kernel/drivers/hid/hid-generic.ko", "extra/maccel/maccel.ko"]);
        assert_eq!(fault(fixture.root(), "6.1.0-50"), None);
    }

    #[test]
    fn a_quick_look_leaves_the_symbols_to_the_kernel() {
        let fixture = FixtureRoot::new();
        fixture.kernel_with_module("6.1.0");
        let full = examine(fixture.root(), "6.1.0");
        let quick = examine_to(fixture.root(), "6.1.0", Depth::Quick);
        let codes = |installed: &Installed| -> Vec<String> {
            installed.checks.iter().map(|check| check.code.to_string()).collect()
        };
        assert_eq!(codes(&quick).len() + 1, codes(&full).len());
        assert_eq!(codes(&quick.taken(fixture.root())), codes(&full));
    }
}
