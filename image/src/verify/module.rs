// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel and the module built for it.

use std::fs;
use std::io::ErrorKind;

use camino::Utf8PathBuf;
use module_check::certificate::Certificate;
use module_check::proof::Proof;
use module_check::{KernelTree, ModuleFile, Root};

use super::{Outcome, Subject, Unable, Verdict, none_of};
use crate::customize::module::{self, CERTIFICATE};
use crate::kernel;
use crate::modinfo::{self, Modinfo};

pub(super) fn kernel_single(subject: &Subject<'_>) -> Outcome {
    match kernel::release(subject.root) {
        Ok(release) => Ok(Verdict::Fine(release)),
        Err(error @ kernel::Error::Unreadable { .. }) => Err(Unable::Other(error.to_string())),
        Err(error) => Ok(Verdict::Wrong(error.to_string())),
    }
}

pub(super) fn kernel_label(subject: &Subject<'_>) -> Outcome {
    let Some(label) = subject.label else {
        return Ok(Verdict::Skipped("a root folder has no labels; give one with --label".into()));
    };
    let release = release(subject)?;
    if label.is_empty() {
        return Ok(Verdict::Wrong(format!("the image has no label ostree.linux; set {release}")));
    }
    Ok(match kernel::agrees(&release, label) {
        Ok(()) => Verdict::Fine(release),
        Err(error) => Verdict::Wrong(error.to_string()),
    })
}

pub(super) fn present(subject: &Subject<'_>) -> Outcome {
    if let Some(verdict) = subject.unwanted() {
        return Ok(verdict);
    }
    let path = path(subject)?;
    if path.is_file() {
        return Ok(Verdict::Fine(path.to_string()));
    }
    let elsewhere = elsewhere(subject)?;
    let hint = if elsewhere.is_empty() {
        String::new()
    } else {
        format!("; there is one for another kernel: {}", super::listed(&elsewhere))
    };
    Ok(Verdict::Wrong(format!("{path} is missing{hint}")))
}

pub(super) fn compression(subject: &Subject<'_>) -> Outcome {
    with_bytes(subject, |bytes| {
        Ok(match modinfo::has_crc32(bytes) {
            Some(false) => Verdict::Wrong(
                "xz with another check than CRC32; the kernel refuses to decompress it".into(),
            ),
            None => Verdict::Wrong("named .xz, but not xz".into()),
            Some(true) => match modinfo::decompress(bytes) {
                Ok(module) => Verdict::Fine(format!("{} of {} bytes", bytes.len(), module.len())),
                Err(error) => Verdict::Wrong(format!("{error}: it is cut or damaged")),
            },
        })
    })
}

pub(super) fn vermagic(subject: &Subject<'_>) -> Outcome {
    let release = release(subject)?;
    with_info(subject, |info| {
        if info.name != module::NAME {
            return Verdict::Wrong(format!("the module is `{}`", info.name));
        }
        if info.kernel() == release {
            return Verdict::Fine(info.vermagic.trim_end().to_owned());
        }
        Verdict::Wrong(format!("built for {}, the kernel is {release}", info.kernel()))
    })
}

pub(super) fn signature(subject: &Subject<'_>) -> Outcome {
    let path = subject.at(CERTIFICATE);
    let certificate = match fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Unable::Read(path, error)),
    };
    with_info(subject, |info| {
        let wanted = subject.config.signing.module;
        match (&info.signature, &certificate) {
            (None, _) if wanted => {
                Verdict::Wrong("not signed, and signing.module asks for it".into())
            }
            (None, _) => Verdict::Skipped(
                "not signed; a machine with Secure Boot on will refuse to load it".into(),
            ),
            (Some(_), None) => {
                Verdict::Wrong(format!("signed, but {path} is missing: nobody could enrol the key"))
            }
            (Some(signature), Some(der)) => match Certificate::parse(der) {
                None => Verdict::Wrong(format!("{path} is not a DER certificate")),
                Some(certificate) if !certificate.is_named_by(signature) => {
                    Verdict::Wrong(format!(
                        "signed with the key {}, the certificate in the image is of {}",
                        signature.key_id, certificate.serial
                    ))
                }
                Some(certificate) => match certificate.proves(signature) {
                    Proof::Valid => Verdict::Fine(format!("proved with the key of {path}")),
                    Proof::Invalid(reason) => {
                        Verdict::Wrong(format!("the key of {path} did not make it: {reason}"))
                    }
                    Proof::Unsupported(what) => Verdict::Wrong(format!(
                        "{what} cannot be checked, here or by `vesperactl`; sign with RSA or ECDSA"
                    )),
                },
            },
        }
    })
}

pub(super) fn symbols(subject: &Subject<'_>) -> Outcome {
    let release = release(subject)?;
    with_file(subject, |file| {
        if !file.has_crcs() {
            return Verdict::Skipped("this kernel keeps no symbol versions".into());
        }
        let root = Root::new(subject.root);
        let tree = KernelTree::new(&root, &release);
        let Some(kernel) = module_check::symbols::of_kernel(&root, &tree, &file.crcs) else {
            return Verdict::Skipped("the root tells nothing about the kernel's symbols".into());
        };
        let found = module_check::symbols::compare(&file.crcs, &kernel);
        let mut wrong: Vec<String> =
            found.differing.iter().map(|name| format!("{name} differs")).collect();
        wrong.extend(found.missing.iter().map(|name| format!("{name} is not exported")));
        let fine = format!("{} as in {}, {} not listed", found.same, kernel.source, found.unknown);
        none_of(&wrong, &fine, "the kernel would refuse it")
    })
}

pub(super) fn index(subject: &Subject<'_>) -> Outcome {
    if let Some(verdict) = subject.unwanted() {
        return Ok(verdict);
    }
    let release = release(subject)?;
    let path = subject.at(kernel::MODULES).join(&release).join("modules.dep");
    if !path.exists() {
        return Ok(Verdict::Wrong(format!("{path} is missing; was depmod run?")));
    }
    let text = fs::read_to_string(&path).map_err(|error| Unable::Read(path.clone(), error))?;
    if module::lists(&text) {
        return Ok(Verdict::Fine(format!("listed in {path}")));
    }
    Ok(Verdict::Wrong(format!("{path} does not list it; was depmod run after it was installed?")))
}

fn release(subject: &Subject<'_>) -> Result<String, Unable> {
    // Which kernel it is says the check of its own; here it is only needed.
    kernel::release(subject.root).map_err(|error| Unable::Other(error.to_string()))
}

fn path(subject: &Subject<'_>) -> Result<Utf8PathBuf, Unable> {
    Ok(module::path(subject.root, &release(subject)?))
}

/// Modules of ours below other kernels' folders.
fn elsewhere(subject: &Subject<'_>) -> Result<Vec<String>, Unable> {
    let folder = subject.at(kernel::MODULES);
    let unable = |error| Unable::Read(folder.clone(), error);
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8().map_err(unable)? {
        let entry = entry.map_err(unable)?;
        if module::path(subject.root, entry.file_name()).is_file() {
            found.push(entry.file_name().to_owned());
        }
    }
    Ok(found)
}

fn with_bytes(subject: &Subject<'_>, check: impl FnOnce(&[u8]) -> Outcome) -> Outcome {
    if let Some(verdict) = subject.unwanted() {
        return Ok(verdict);
    }
    let path = path(subject)?;
    let bytes = fs::read(&path).map_err(|error| Unable::Read(path, error))?;
    check(&bytes)
}

fn with_file(subject: &Subject<'_>, check: impl FnOnce(&ModuleFile) -> Verdict) -> Outcome {
    with_bytes(subject, |bytes| {
        let file = modinfo::decompress(bytes)
            .and_then(|bytes| ModuleFile::parse(&bytes).map_err(modinfo::Error::NotAModule));
        Ok(match file {
            Ok(file) => check(&file),
            Err(error) => Verdict::Wrong(error.to_string()),
        })
    })
}

fn with_info(subject: &Subject<'_>, check: impl FnOnce(&Modinfo) -> Verdict) -> Outcome {
    with_file(subject, |file| match Modinfo::of(file) {
        Ok(info) => check(&info),
        Err(error) => Verdict::Wrong(error.to_string()),
    })
}
