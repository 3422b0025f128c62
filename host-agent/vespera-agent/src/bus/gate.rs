// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may do what: the one place. What is not listed, not answered or not allowed is refused.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use vespera_api::access::{self, Access, Action};
use vespera_api::{Error, Result};
use zbus::Connection;
use zbus::message::{Flags, Header};
use zbus_polkit::policykit1::{AuthorityProxy, CheckAuthorizationFlags, Subject};

use crate::journal;

/// The answer of an [`Authority`].
pub(crate) type Answer<'a> = Pin<Box<dyn Future<Output = zbus::Result<bool>> + Send + 'a>>;

/// Somebody who knows what a caller may do.
pub(crate) trait Authority: Send + Sync {
    /// Whether the sender of a call is allowed an action. An error is a refusal.
    fn allows<'a>(&'a self, call: &'a Header<'a>, action: Action) -> Answer<'a>;
}

/// polkit. The subject is the sender's name on the bus, which nobody can forge and which is not
/// given to anyone else, unlike a process id.
pub(crate) struct Polkit(pub(crate) Connection);

impl Authority for Polkit {
    fn allows<'a>(&'a self, call: &'a Header<'a>, action: Action) -> Answer<'a> {
        Box::pin(async move {
            let polkit = AuthorityProxy::builder(&self.0)
                .cache_properties(zbus::proxy::CacheProperties::No)
                .build()
                .await?;
            let subject = Subject::new_for_message_header(call)
                .map_err(|error| zbus::Error::Failure(error.to_string()))?;
            let interactive = call.primary().flags().contains(Flags::ALLOW_INTERACTIVE_AUTH);
            let flags = match interactive {
                true => CheckAuthorizationFlags::ALLOW_USER_INTERACTION,
                false => CheckAuthorizationFlags::empty(),
            };
            let answer = polkit
                .check_authorization(&subject, action.id(), &HashMap::new(), flags, "")
                .await?;
            Ok(answer.is_authorized)
        })
    }
}

/// The place.
pub(crate) struct Gate(Box<dyn Authority>);

/// Proof that a call may be done. Requests are only taken together with one.
pub(crate) struct Permit {
    caller: Option<String>,
}

impl Permit {
    /// The caller's name on the bus; none on a line of its own.
    pub(crate) fn caller(&self) -> Option<&str> {
        self.caller.as_deref()
    }
}

impl Gate {
    /// Asks `authority`.
    pub(crate) fn new(authority: Box<dyn Authority>) -> Self {
        Self(authority)
    }

    /// Lets a call of `method` through, or refuses it.
    pub(crate) async fn admit(
        &self,
        interface: &str,
        method: &str,
        call: &Header<'_>,
    ) -> Result<Permit> {
        let caller = call.sender().map(ToString::to_string);
        let action = match access::needed(interface, method) {
            Some(Access::Open) => return Ok(Permit { caller }),
            Some(Access::Needs(action)) => action,
            None => return Err(refuse(method, caller.as_deref(), "it is not listed")),
        };
        match self.0.allows(call, action).await {
            Ok(true) => Ok(Permit { caller }),
            Ok(false) => {
                let why = format!("{} is not granted", action.id());
                Err(refuse(method, caller.as_deref(), &why))
            }
            Err(error) => {
                let why = format!("{} cannot be asked for: {error}", action.id());
                Err(refuse(method, caller.as_deref(), &why))
            }
        }
    }
}

fn refuse(method: &str, caller: Option<&str>, why: &str) -> Error {
    journal::denied(method, caller.unwrap_or("a peer"), why);
    Error::AccessDenied(format!("{method}: {why}"))
}
