// SPDX-License-Identifier: MIT OR Apache-2.0
//! In place of a desktop: owns the name of its notification service and writes down what it is
//! told to show, a line of JSON for each notification.
//!
//! Names and types are those of the Desktop Notifications Specification, version 1.2.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::ExitCode;

use serde_json::json;
use zbus::connection::Builder;
use zbus::{Variant, fdo, interface};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

struct Notifications {
    shown: File,
    last: u32,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(clippy::too_many_arguments, reason = "the specification has so many")]
    fn notify(
        &mut self,
        app_name: &str,
        _replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        _actions: Vec<String>,
        hints: HashMap<String, Variant<'_>>,
        expire_timeout: i32,
    ) -> fdo::Result<u32> {
        let urgency = hints.into_iter().find_map(|(name, value)| match (name.as_str(), value) {
            ("urgency", Variant::U8(urgency)) => Some(urgency),
            _ => None,
        });
        let line = json!({
            "application": app_name, "icon": app_icon, "summary": summary, "body": body,
            "urgency": urgency, "expire": expire_timeout,
        });
        writeln!(self.shown, "{line}").map_err(|error| fdo::Error::Failed(error.to_string()))?;
        self.last += 1;
        Ok(self.last)
    }
}

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: vespera-desktop FILE");
        return ExitCode::from(64);
    };
    let opened = OpenOptions::new().append(true).create(true).open(path);
    let served = opened.map_err(zbus::Error::from).and_then(serve);
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(shown: File) -> zbus::Result<()> {
    zbus::block_on(async {
        let notifications = Notifications { shown, last: 0 };
        let builder = Builder::session().serve_at(PATH, notifications);
        let _connection = builder.name(NAME).build().await?;
        std::future::pending().await
    })
}
