// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for a descriptor to become readable.
#![allow(unsafe_code, reason = "tokio cannot know that a descriptor stays open; see below")]

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Something to wait for.
pub(super) struct Readable(AsyncFd<OwnedFd>);

impl Readable {
    /// Waits for what `source` reads from.
    ///
    /// # Errors
    /// If it cannot be waited for.
    pub(super) fn new(source: &impl AsFd) -> io::Result<Self> {
        let own = source.as_fd().try_clone_to_owned()?;
        // SAFETY: an OwnedFd is open for as long as it lives and is always the same descriptor.
        let registered = unsafe { AsyncFd::register_with_interest(own, Interest::READABLE) };
        Ok(Self(registered?))
    }

    /// Waits, then reads with `read` until there is nothing more; `read` must not block.
    ///
    /// # Errors
    /// That of the descriptor, or of `read`.
    pub(super) async fn read<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut ready = self.0.readable().await?;
        // Before reading: what comes meanwhile counts as new.
        ready.clear_ready();
        read()
    }
}
