// SPDX-License-Identifier: MIT OR Apache-2.0
//! Inserting and removing kernel modules without any tool.

use std::ffi::CString;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::io::Errno;
use rustix::system::{delete_module, finit_module, init_module};
use vespera_guest::boot::{MODULES, MODULES_LIST};
use vespera_guest::wire::{LoadedModule, Refusal};

/// Where the init leaves its account for the agent.
const ACCOUNT: &str = "/run/vespera-test-modules.json";
/// O_NONBLOCK: do not wait for a module in use (delete_module(2)).
const NO_WAIT: i32 = libc::O_NONBLOCK;

/// Loads the modules of the initramfs in the given order and keeps the account of it.
///
/// A refusal does not stop the boot: whether it is a fault is for the test to say.
pub(crate) fn load_all() -> Result<()> {
    let list = fs::read_to_string(MODULES_LIST).unwrap_or_default();
    let mut account = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty()) {
        let (file, parameters) = line.split_once(' ').unwrap_or((line, ""));
        let refused = insert(&Path::new(MODULES).join(file), parameters).err();
        if let Some(refusal) = &refused {
            eprintln!("vespera-guest: {}", refusal.message);
        }
        account.push(LoadedModule { file: file.to_owned(), refused });
    }
    fs::write(ACCOUNT, serde_json::to_vec(&account)?).with_context(|| format!("writing {ACCOUNT}"))
}

/// What [`load_all`] did in this boot.
pub(crate) fn account() -> Result<Vec<LoadedModule>> {
    let text = fs::read(ACCOUNT).with_context(|| format!("reading {ACCOUNT}"))?;
    serde_json::from_slice(&text).with_context(|| format!("reading {ACCOUNT}"))
}

/// Inserts one module file.
pub(crate) fn insert(file: &Path, parameters: &str) -> Result<(), Refusal> {
    let what = || format!("inserting {}", file.display());
    let handle = fs::File::open(file).map_err(|error| io_refusal(&what(), &error))?;
    let parameters = CString::new(parameters)
        .map_err(|error| Refusal { errno: None, message: format!("{}: {error}", what()) })?;
    finit_module(&handle, &parameters, 0).map_err(|errno| refusal(&what(), errno))
}

/// Inserts a module from memory: reading a file, the kernel itself reports it loudly when memory
/// is short.
pub(crate) fn insert_image(image: &[u8], parameters: &str) -> Result<(), Refusal> {
    let what = "inserting a module from memory";
    let parameters = CString::new(parameters)
        .map_err(|error| Refusal { errno: None, message: format!("{what}: {error}") })?;
    init_module(image, &parameters).map_err(|errno| refusal(what, errno))
}

/// Removes one module.
pub(crate) fn remove(name: &str) -> Result<(), Refusal> {
    let what = format!("removing the module {name}");
    let name = CString::new(name)
        .map_err(|error| Refusal { errno: None, message: format!("{what}: {error}") })?;
    delete_module(&name, NO_WAIT).map_err(|errno| refusal(&what, errno))
}

fn refusal(what: &str, errno: Errno) -> Refusal {
    Refusal { errno: Some(errno.raw_os_error()), message: format!("{what}: {errno}") }
}

/// A refusal from an I/O error.
pub(crate) fn io_refusal(what: &str, error: &std::io::Error) -> Refusal {
    Refusal { errno: error.raw_os_error(), message: format!("{what}: {error}") }
}
