// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel module: checked, compressed, put in its place, made known to modprobe.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use module_check::tree::path_in_index;

use super::{Error, Report, file_error, files, identity};
use crate::modinfo::{self, Modinfo};
use crate::tool::Tools;
use crate::{kernel, modinfo::compress};

/// The certificate that people enrol, so that Secure Boot lets the module in.
pub const CERTIFICATE: &str = "usr/share/vespera/module-signing.der";
/// The module's name.
pub const NAME: &str = "maccel";
/// The module's folder below its kernel's.
const FOLDER: &str = "extra/maccel";
/// Its name there.
const FILE: &str = "maccel.ko.xz";
/// Other forms of the same module; `modprobe` would have to choose between them.
const OTHER_FORMS: &[&str] = &["maccel.ko", "maccel.ko.gz", "maccel.ko.zst"];

/// Where a release's module lies in a root.
pub fn path(root: &Utf8Path, release: &str) -> Utf8PathBuf {
    root.join(kernel::MODULES).join(release).join(FOLDER).join(FILE)
}

/// A module to install.
#[derive(Debug, Clone, Copy)]
pub struct Built<'a> {
    /// The module, not compressed or as xz.
    pub module: &'a Utf8Path,
    /// The kernel release that it was built for.
    pub release: &'a str,
    /// The certificate of its signature, as DER.
    pub certificate: Option<&'a Utf8Path>,
}

/// Installs the module built for a release into a root.
///
/// # Errors
///
/// When the module is not for this kernel, when the root has another one, when it must be signed
/// and is not, or when depmod does not list it afterwards.
pub fn install(
    root: &Utf8Path,
    built: Built<'_>,
    must_be_signed: bool,
    tools: &dyn Tools,
    report: &mut dyn Report,
) -> Result<(), Error> {
    let Built { module, release, certificate } = built;
    let present = kernel::release(root)?;
    if present != release {
        return Err(Error::Refused(format!(
            "the module was built for {release}, but the kernel of this root is {present}; \
             build it again for {present}"
        )));
    }
    let bytes = fs::read(module).map_err(file_error("read", module))?;
    let bytes = modinfo::decompress(&bytes)
        .map_err(|source| Error::Module { path: module.to_owned(), source })?;
    let info = Modinfo::parse(&bytes)
        .map_err(|source| Error::Module { path: module.to_owned(), source })?;
    if info.name != NAME {
        return Err(Error::Refused(format!(
            "{module} is the module `{}`, not `{NAME}`",
            info.name
        )));
    }
    if info.kernel() != release {
        return Err(Error::Refused(format!(
            "{module} is for another kernel: its vermagic is `{}`, wanted is one that begins \
             with `{release}`",
            info.vermagic.trim_end()
        )));
    }
    if must_be_signed && !info.signed() {
        return Err(Error::Refused(format!(
            "{module} is not signed, and `signing.module` of the configuration asks for it; give \
             the build the signing key as a secret"
        )));
    }

    let target = path(root, release);
    for other in OTHER_FORMS {
        let other = target.with_file_name(other);
        if files::remove(&other)? {
            report.line(&format!("removed {other}, another form of the same module"));
        }
    }
    let packed = compress(&bytes).map_err(file_error("compress", module))?;
    let size = packed.len();
    let changed = files::write(&target, &packed, files::PLAIN)?;
    let word = if changed { "installed" } else { "unchanged:" };
    report.line(&format!("module {word} {target} ({size} bytes, for {release})"));
    if let Some(signature) = &info.signature {
        let signer = signature.signer.as_deref().unwrap_or("a key without a name");
        report.line(&format!(
            "module signature: {signer}, key {}, {}",
            signature.key_id, signature.hash
        ));
    } else {
        report.line("module signature: none; a machine with Secure Boot on will refuse to load it");
    }

    index_modules(root, release, tools)?;
    let index = root.join(kernel::MODULES).join(release).join("modules.dep");
    let listed = fs::read_to_string(&index).map_err(file_error("read", &index))?;
    if !lists(&listed) {
        return Err(Error::Refused(format!(
            "depmod ran, but {index} does not list {FOLDER}/{FILE}; modprobe would not find it"
        )));
    }
    report.line(&format!("depmod: {FOLDER}/{FILE} is listed for {release}"));
    let shipped = root.join(CERTIFICATE);
    let certificate = match certificate {
        Some(path) => {
            let bytes = fs::read(path).map_err(file_error("read", path))?;
            files::write(&shipped, &bytes, files::PLAIN)?;
            report.line(&format!("certificate to enrol: {shipped}"));
            Some(bytes)
        }
        None => {
            files::remove(&shipped)?;
            None
        }
    };
    identity::record_driver(root, &info, certificate.as_deref(), report)
}

/// Runs depmod, and places those of its files that are others than before: depmod writes all of
/// them anew, and whatever is written is in the layer that hosts download for a new driver. Of a
/// whole kernel's index that is almost half.
fn index_modules(root: &Utf8Path, release: &str, tools: &dyn Tools) -> Result<(), Error> {
    let scratch = tempfile::tempdir().map_err(file_error("make", "a temporary folder".into()))?;
    let out = Utf8PathBuf::try_from(scratch.path().to_owned())
        .map_err(|error| Error::Refused(error.to_string()))?;
    let args = ["-a", "-b", root.as_str(), "-o", out.as_str(), release];
    tools.run("depmod", &args, "index the kernel's modules")?;
    // Which of the two depends on how it was built.
    let folders = [kernel::MODULES, "lib/modules"].map(|folder| out.join(folder).join(release));
    let Some(written) = folders.iter().find(|folder| folder.is_dir()) else {
        return Err(Error::Refused(format!("depmod ran, but wrote nothing below {out}")));
    };
    for name in files::list(written)? {
        let path = written.join(&name);
        let content = fs::read(&path).map_err(file_error("read", &path))?;
        let target = root.join(kernel::MODULES).join(release).join(name);
        files::write(&target, &content, files::PLAIN)?;
    }
    Ok(())
}

/// Whether the text of a `modules.dep` lists the module in its place.
pub fn lists(modules_dep: &str) -> bool {
    // On a root without a merged `/lib`, depmod writes the full path.
    path_in_index(modules_dep, NAME).is_some_and(|path| path.ends_with(&format!("{FOLDER}/{FILE}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::{FakeTools, Root, SYMBOLS, depmod, module, ok};

    const KERNEL: &str = "6.17.1-300.fc43.x86_64";

    fn root() -> Root {
        let root = Root::new();
        root.kernel(KERNEL);
        root.file("build/maccel.ko", module(KERNEL));
        root
    }

    fn run(
        root: &Root,
        release: &str,
        signed: bool,
        tools: &FakeTools,
    ) -> Result<Vec<String>, Error> {
        let mut report = Vec::new();
        let from = root.path().join("build/maccel.ko");
        let certificate = root.path().join("build/key.der");
        let certificate = certificate.exists().then_some(certificate.as_path());
        let built = Built { module: &from, release, certificate };
        install(root.path(), built, signed, tools, &mut report)?;
        Ok(report)
    }

    #[test]
    fn module_is_compressed_in_place_and_known_to_modprobe() {
        let root = root();
        root.file(&format!("usr/lib/modules/{KERNEL}/extra/maccel/maccel.ko"), "old");
        let tools = FakeTools::default().with("depmod", depmod);
        let report = run(&root, KERNEL, false, &tools).unwrap().join("\n");
        let packed = fs::read(path(root.path(), KERNEL)).unwrap();
        assert_eq!(modinfo::has_crc32(&packed), Some(true));
        assert_eq!(modinfo::decompress(&packed).unwrap(), module(KERNEL));
        assert!(!root.has(&format!("usr/lib/modules/{KERNEL}/extra/maccel/maccel.ko")));
        let called = format!("depmod -a -b {} -o ", root.path());
        assert!(tools.calls()[0].starts_with(&called), "{:?}", tools.calls());
        assert!(report.contains("module installed"), "{report}");
        assert!(report.contains("Secure Boot"), "{report}");
        assert!(!root.has(CERTIFICATE));
        root.file("build/key.der", "der");
        let again = run(&root, KERNEL, false, &tools).unwrap().join("\n");
        assert!(again.contains("module unchanged:"), "{again}");
        assert_eq!(root.read(CERTIFICATE), "der");
    }

    /// A file that is written is in the layer, whether it says something new or not.
    #[test]
    fn index_that_the_driver_does_not_change_is_not_written_again() {
        use std::os::unix::fs::MetadataExt as _;
        let root = root();
        let index = |name: &str| format!("usr/lib/modules/{KERNEL}/{name}");
        let symbols = root.file(&index("modules.symbols.bin"), SYMBOLS);
        let dep = root.file(&index("modules.dep"), "kernel/x.ko.xz:\n");
        let inode = |path: &Utf8Path| fs::metadata(path).unwrap().ino();
        let before = (inode(&symbols), inode(&dep));
        let tools = FakeTools::default().with("depmod", depmod);
        run(&root, KERNEL, false, &tools).unwrap();
        assert_eq!(inode(&symbols), before.0);
        assert!(lists(&root.read(&index("modules.dep"))));
        assert_eq!(root.mode(&index("modules.dep")), 0o644);
    }

    #[test]
    fn module_for_another_kernel_is_refused_and_nothing_is_written() {
        let root = root();
        root.file("build/maccel.ko", module("6.17.1-301.fc43.x86_64"));
        let error = run(&root, KERNEL, false, &FakeTools::default()).unwrap_err().to_string();
        assert!(error.contains("6.17.1-301.fc43.x86_64") && error.contains(KERNEL), "{error}");
        assert!(!root.has(&format!("usr/lib/modules/{KERNEL}/extra")));
        let error = run(&root, "6.18.0", false, &FakeTools::default()).unwrap_err().to_string();
        assert!(error.contains("6.18.0") && error.contains(KERNEL), "{error}");
    }

    #[test]
    fn vermagic_of_a_longer_release_name_does_not_pass_for_a_shorter_one() {
        let root = Root::new();
        root.kernel("6.17.1");
        root.file("build/maccel.ko", module("6.17.10"));
        assert!(run(&root, "6.17.1", false, &FakeTools::default()).is_err());
    }

    #[test]
    fn missing_signature_is_refused_where_the_configuration_asks_for_one() {
        let error = run(&root(), KERNEL, true, &FakeTools::default()).unwrap_err().to_string();
        assert!(error.contains("signing.module"), "{error}");
    }

    #[test]
    fn depmod_that_lists_nothing_is_not_believed() {
        let root = root();
        root.file(&format!("usr/lib/modules/{KERNEL}/modules.dep"), "");
        let tools = FakeTools::default().with("depmod", |_| ok(""));
        let error = run(&root, KERNEL, false, &tools).unwrap_err().to_string();
        assert!(error.contains("wrote nothing"), "{error}");
        let tools = FakeTools::default().with("depmod", |args| {
            // As if it looked below another folder.
            let ["-a", "-b", _, "-o", out, release] = args else { return ok("") };
            fs::create_dir_all(format!("{out}/lib/modules/{release}")).unwrap();
            ok("")
        });
        let error = run(&root, KERNEL, false, &tools).unwrap_err().to_string();
        assert!(error.contains("does not list"), "{error}");
    }

    #[test]
    fn missing_depmod_is_named() {
        let error = run(&root(), KERNEL, false, &FakeTools::default()).unwrap_err().to_string();
        assert!(error.contains("`depmod` is not installed"), "{error}");
    }
}
