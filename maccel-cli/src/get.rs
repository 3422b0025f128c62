// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel get`: parameters and the mode, letter for letter as the public command prints them.

use maccel_core::settings::Mode;
use serde_json::{Map, Value, json};

use crate::args::{Common, GetCommand};
use crate::host::Host;
use crate::output::{FORMAT, Output, document};
use crate::public::{self, Group, Name};
use crate::quick;

/// Runs the command.
pub(crate) fn run(common: &Common, command: &GetCommand) -> anyhow::Result<Output> {
    let host = Host::open(common)?;
    match *command {
        GetCommand::Param { name } if common.json => json_of(&host, &[name], Map::new()),
        GetCommand::Param { name } => Ok(Output::text(quick::line(host.value(name)?))),
        GetCommand::All { group, .. } if common.json => json_of(&host, group.names(), Map::new()),
        GetCommand::All { oneline, quiet, group } => {
            let text = listing(&host, group.names(), oneline, quiet)?;
            Ok(Output { text, note: note(group) })
        }
        GetCommand::Mode => mode(&host, common.json),
    }
}

fn mode(host: &Host, json: bool) -> anyhow::Result<Output> {
    let mode = host.mode()?;
    let group = Group::of(mode);
    if json {
        let mut first = Map::new();
        first.insert("mode".to_owned(), json!(mode.name()));
        return json_of(host, group.names(), first);
    }
    let values = listing(host, group.names(), false, false)?;
    let text = format!("{}\n\n{values}", public::title(mode));
    Ok(Output { text, note: note(if mode == Mode::NoAccel { Group::NoAccel } else { group }) })
}

fn note(group: Group) -> String {
    match group {
        Group::NoAccel => format!("{}\n\n", public::NO_ACCEL_NOTE),
        _ => String::new(),
    }
}

/// The values of a group. On one line a blank follows every value, also the last.
fn listing(host: &Host, names: &[Name], oneline: bool, quiet: bool) -> anyhow::Result<String> {
    let mut text = String::new();
    for name in names {
        if !quiet {
            text.push_str(&format!("{}:  \t", name.label()));
        }
        text.push_str(&host.value(*name)?.to_decimal9());
        text.push(if oneline { ' ' } else { '\n' });
    }
    Ok(text)
}

fn json_of(host: &Host, names: &[Name], mut values: Map<String, Value>) -> anyhow::Result<Output> {
    values.insert("format".to_owned(), json!(FORMAT));
    for name in names {
        let word = if name.file() == "OFFSET" { "offset" } else { name.word() };
        values.insert(word.to_owned(), json!(host.value(*name)?.to_short()));
    }
    Ok(Output::text(document(&Value::Object(values))?))
}
