// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one boundary to libkmod.
//!
//! libkmod looks the module up in depmod's index and takes its options from modprobe.d, so the
//! module gets what udev's modalias loading or `modprobe` would give it.

use health::MACCEL;

/// EEXIST: another loader was quicker, which is as good.
const EEXIST: i32 = 17;
/// ENOENT: what a name that is in no index comes to.
const ENOENT: i32 = 2;

/// Why a module did not go in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The error number; 0 when libkmod did not tell.
    pub(crate) errno: i32,
}

/// Loads maccel and what it depends on.
pub(crate) fn load() -> Result<(), Refusal> {
    let context = kmod::Context::new().map_err(|error| refusal(&error))?;
    let module = context.module_new_from_name(MACCEL).map_err(|error| refusal(&error))?;
    if module.path().is_none() {
        return Err(Refusal { errno: ENOENT });
    }
    // libkmod lists the deepest dependency first.
    for dependency in module.dependencies() {
        insert(&dependency)?;
    }
    insert(&module)
}

/// Removes maccel.
pub(crate) fn unload() -> Result<(), Refusal> {
    let context = kmod::Context::new().map_err(|error| refusal(&error))?;
    let module = context.module_new_from_name(MACCEL).map_err(|error| refusal(&error))?;
    module.remove_module(0).map_err(|error| refusal(&error))
}

fn insert(module: &kmod::Module) -> Result<(), Refusal> {
    let options = module.options().map(|options| options.to_string_lossy().into_owned());
    let options = options.as_deref().unwrap_or_default();
    match module.insert_module(0, &[options]).map_err(|error| refusal(&error)) {
        Err(Refusal { errno: EEXIST }) => Ok(()),
        outcome => outcome,
    }
}

fn refusal(error: &kmod::Error) -> Refusal {
    let errno = match error {
        kmod::Error::InsertModule(errno)
        | kmod::Error::RemoveModule(errno)
        | kmod::Error::ModuleFromPath(errno) => errno.0,
        kmod::Error::ModuleFromName | kmod::Error::ModuleFromLookup => ENOENT,
        _ => 0,
    };
    Refusal { errno }
}
