// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may do what: the one place. What is not listed, not answered or not allowed is refused.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use vespera_api::access::{self, Access, Action};
use vespera_api::error::NOT_GRANTED;
use vespera_api::{Error, Result};
use zbus::Connection;
use zbus::message::{Flags, Header};
use zbus::names::UniqueName;
use zbus_polkit::policykit1::{AuthorityProxy, CheckAuthorizationFlags, Subject};

use super::crowd::{Crowd, OF_STRANGER, OF_STRANGERS, OF_USER};
use super::denials::Denials;

/// The longest arguments, in bytes, of a call that is decided on: it is kept for so long. All
/// parameters with a look-up table, each of its factors a value of any type, have 2360.
const LONGEST: u32 = 4 * 1024;

/// The bus itself: its name and its interface.
const BUS: &str = "org.freedesktop.DBus";
const BUS_OBJECT: &str = "/org/freedesktop/DBus";

/// What comes of asking.
pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = zbus::Result<T>> + Send + 'a>>;

/// What somebody says who knows what a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The caller may.
    Granted,
    /// The caller may not.
    Refused,
    /// The caller may, if somebody gives a password.
    WithPassword,
}

/// Somebody who knows what a caller may do.
pub(crate) trait Authority: Send + Sync {
    /// The user who made a call; none on a line of its own. An error is a refusal.
    fn user_of<'a>(&'a self, call: &'a Header<'a>) -> Answer<'a, Option<u32>>;

    /// Whether the sender of a call is allowed an action. With `ask` somebody is asked for a
    /// password, which may take for ever. An error is a refusal.
    fn allows<'a>(&'a self, call: &'a Header<'a>, action: Action, ask: bool)
    -> Answer<'a, Verdict>;
}

/// polkit. The subject is the sender's name on the bus, which nobody can forge and which is not
/// given to anyone else, unlike a process id.
pub(crate) struct Polkit(pub(crate) Connection);

impl Authority for Polkit {
    fn user_of<'a>(&'a self, call: &'a Header<'a>) -> Answer<'a, Option<u32>> {
        Box::pin(async move {
            let Some(sender) = call.sender() else { return Ok(None) };
            let (to, of) = (Some(BUS), Some(BUS));
            let question = "GetConnectionUnixUser";
            let reply = self.0.call_method(to, BUS_OBJECT, of, question, &(sender,)).await?;
            Ok(Some(reply.body().deserialize()?))
        })
    }

    fn allows<'a>(
        &'a self,
        call: &'a Header<'a>,
        action: Action,
        ask: bool,
    ) -> Answer<'a, Verdict> {
        Box::pin(async move {
            let polkit = AuthorityProxy::builder(&self.0)
                .cache_properties(zbus::proxy::CacheProperties::No)
                .build()
                .await?;
            let subject = Subject::new_for_message_header(call)
                .map_err(|error| zbus::Error::Failure(error.to_string()))?;
            let flags = match ask {
                true => CheckAuthorizationFlags::ALLOW_USER_INTERACTION,
                false => CheckAuthorizationFlags::empty(),
            };
            let answer = polkit
                .check_authorization(&subject, action.id(), &HashMap::new(), flags, "")
                .await?;
            Ok(match (answer.is_authorized, answer.is_challenge) {
                (true, _) => Verdict::Granted,
                (false, true) => Verdict::WithPassword,
                (false, false) => Verdict::Refused,
            })
        })
    }
}

/// The place.
pub(crate) struct Gate {
    authority: Box<dyn Authority>,
    crowd: Crowd,
    denials: Denials,
}

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
        Self { authority, crowd: Crowd::new(), denials: Denials::default() }
    }

    /// Lets a call of `method` through, or refuses it.
    pub(crate) async fn admit(
        &self,
        interface: &str,
        method: &'static str,
        call: &Header<'_>,
    ) -> Result<Permit> {
        let caller = call.sender().map(ToString::to_string);
        let mut user = None;
        match self.decide(interface, method, call, &mut user).await? {
            None => Ok(Permit { caller }),
            Some(why) => {
                self.denials.note(user, method, caller.as_deref().unwrap_or("a peer"), &why);
                Err(Error::AccessDenied(format!("{method}: {why}")))
            }
        }
    }

    /// Why a call is refused, if it is, and whose it is as soon as that is known.
    async fn decide(
        &self,
        interface: &str,
        method: &str,
        call: &Header<'_>,
        user: &mut Option<u32>,
    ) -> Result<Option<String>> {
        let action = match access::needed(interface, method) {
            Some(Access::Open) => return Ok(None),
            Some(Access::Needs(action)) => action,
            None => return Ok(Some("it is not listed".to_owned())),
        };
        let length = call.primary().body_len();
        if length > LONGEST {
            return Err(Error::InvalidValue(format!(
                "{method}: its arguments have {length} bytes, at most {LONGEST} are right"
            )));
        }
        *user = match self.user_of(call).await {
            Ok(user) => user,
            Err(why) => return Ok(Some(why)),
        };
        let Some(place) = self.crowd.of_user(*user) else {
            return Ok(Some(format!("{OF_USER} calls of this user are not decided on yet")));
        };
        let mut verdict = {
            let _turn = self.crowd.turn(&place.shared).await;
            self.authority.allows(call, action, false).await
        };
        let interactive = call.primary().flags().contains(Flags::ALLOW_INTERACTIVE_AUTH);
        if matches!(verdict, Ok(Verdict::WithPassword)) && interactive {
            let Some(_waiting) = self.crowd.password(&place.shared) else {
                let id = action.id();
                return Ok(Some(format!("too many calls wait for a password for {id} already")));
            };
            verdict = self.authority.allows(call, action, true).await;
        }
        Ok(match verdict {
            Ok(Verdict::Granted) => None,
            Ok(_) => Some(format!("{} {NOT_GRANTED}", action.id())),
            Err(error) => Some(format!("{} cannot be asked for: {error}", action.id())),
        })
    }

    /// Whose a call is, or why that cannot be told. The bus is asked until it has told, and then
    /// seldom again.
    async fn user_of(&self, call: &Header<'_>) -> std::result::Result<Option<u32>, String> {
        let sender = call.sender().map(UniqueName::as_str);
        if let Some(user) = sender.and_then(|sender| self.crowd.known(sender)) {
            return Ok(user);
        }
        // Before anything is waited for: a caller need not wait for an answer.
        let Some(_place) = self.crowd.of_stranger(sender) else {
            return Err(format!(
                "who calls is not known yet, of {OF_STRANGER} calls of this program or \
                 {OF_STRANGERS} of all"
            ));
        };
        let user = self.authority.user_of(call).await;
        let user = user.map_err(|error| format!("who calls cannot be told: {error}"))?;
        if let Some(sender) = sender {
            self.crowd.learn(sender, user);
        }
        Ok(user)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::FutureExt;
    use vespera_api::names::{MACCEL, ROOT_OBJECT};
    use zbus::Message;

    use super::*;

    /// Knows users, or never answers, and counts how often it was asked for one. All may do all.
    struct Users(Option<u32>, Arc<AtomicUsize>);

    impl Authority for Users {
        fn user_of<'a>(&'a self, _: &'a Header<'a>) -> Answer<'a, Option<u32>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Box::pin(async {
                match self.0 {
                    None => pending().await,
                    user => Ok(user),
                }
            })
        }

        fn allows<'a>(&'a self, _: &'a Header<'a>, _: Action, _: bool) -> Answer<'a, Verdict> {
            Box::pin(async { Ok(Verdict::Granted) })
        }
    }

    fn gate(user: Option<u32>) -> (Gate, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        (Gate::new(Box::new(Users(user, Arc::clone(&asked)))), asked)
    }

    fn reset_by(sender: &str) -> Message {
        let call = Message::method_call(ROOT_OBJECT, "Reset");
        call.sender(sender).build(&()).unwrap()
    }

    #[tokio::test]
    async fn the_user_of_a_connection_is_asked_for_once() {
        let (gate, asked) = gate(Some(1000));
        for (sender, times) in [(":1.1", 1), (":1.1", 1), (":1.2", 2), (":1.1", 2)] {
            let call = reset_by(sender);
            assert!(gate.admit(MACCEL, "Reset", &call.header()).await.is_ok());
            assert_eq!(asked.load(Ordering::Relaxed), times, "{sender}");
        }
    }

    #[tokio::test]
    async fn of_too_many_calls_whose_user_is_not_known_yet_the_last_are_refused_at_once() {
        const TOO_MANY: usize = 5;
        let (gate, asked) = gate(None);
        let calls: Vec<_> =
            (0..OF_STRANGERS + TOO_MANY).map(|call| reset_by(&format!(":1.{call}"))).collect();
        let headers: Vec<_> = calls.iter().map(Message::header).collect();
        let mut waiting = Vec::new();
        let mut refused = 0;
        for header in &headers {
            let mut admitted = Box::pin(gate.admit(MACCEL, "Reset", header));
            let Some(outcome) = (&mut admitted).now_or_never() else {
                waiting.push(admitted);
                continue;
            };
            let error = outcome.err().unwrap();
            assert!(error.to_string().contains("is not known yet"), "{error}");
            assert!(!error.lacks_right(), "{error}");
            refused += 1;
        }
        assert_eq!((waiting.len(), refused), (OF_STRANGERS, TOO_MANY));
        assert_eq!(asked.load(Ordering::Relaxed), OF_STRANGERS);
    }
}
