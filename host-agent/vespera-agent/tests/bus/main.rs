// SPDX-License-Identifier: MIT OR Apache-2.0
//! The agent on a real bus: dbus-daemon with the shipped policy, polkitd with the shipped actions
//! and rule, and callers that really are other users.
//!
//! For that the tests have a mount namespace of their own, with users of their own in
//! `/etc/passwd`. Root can make one; others need a user namespace with more than one user, which
//! newuidmap gives them. Without either, every test is listed as ignored, and why; where
//! [`MUST_RUN`] is set that is a failure.
//!
//! - [`namespace`]: how this program gets there
//! - [`world`]: users, bus and polkitd
//! - [`sysfs`]: a folder in place of the driver's files
//! - [`agent`]: the service under test
//! - [`caller`]: this same program as another user, who calls
//! - the rest: the tests

// The lints know tests by `#[test]`; here every function is one, or serves one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agent;
mod caller;
mod change;
mod contract;
mod crowd;
mod examples;
mod figures;
mod fuzz;
mod namespace;
mod ownership;
mod random;
mod readable;
mod rights;
mod saved;
mod speed;
mod sysfs;
mod trials;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::world::World;

/// A test, with the bus it runs on.
type Test = fn(&World);

const TESTS: &[(&str, Test)] = &[
    ("namespace::tests_that_cannot_run_fail_where_they_must", namespace::cannot_be_skipped),
    ("ownership::only_the_user_of_the_agent_can_own_its_name", ownership::only_its_user),
    ("ownership::the_agent_goes_by_signals_of_the_bus_alone", ownership::forged_signals),
    ("ownership::an_agent_without_a_bus_ends", ownership::bus_is_gone),
    ("contract::served_interfaces_are_the_shipped_ones", contract::served_is_shipped),
    ("contract::no_method_takes_an_open_file_and_nobody_may_send_one", contract::no_files_are_sent),
    ("rights::each_user_may_call_what_the_table_says", rights::methods),
    ("rights::everyone_may_read_every_property_and_nobody_may_write_one", rights::properties),
    ("crowd::a_stranger_with_many_calls_keeps_nobody_from_changing_settings", crowd::flood),
    ("crowd::a_call_that_is_much_too_large_does_not_end_the_agent", crowd::large_call),
    ("crowd::the_bus_lets_no_open_file_through_to_the_agent", crowd::descriptors),
    ("trials::settings_return_when_the_caller_leaves", trials::caller_leaves),
    ("trials::settings_return_when_the_agent_is_killed", trials::agent_is_killed),
    ("trials::confirmed_settings_stay_when_the_caller_leaves", trials::confirmed),
    ("trials::a_write_by_another_program_is_seen_and_emitted", trials::outside_write),
    ("saved::settings_with_an_unused_table_survive_the_public_driver", saved::unused_table),
    ("readable::a_file_of_the_administrator_is_seen_when_it_may_be_read", readable::at_last),
    ("speed::what_is_opened_reads_the_speed_and_writes_nothing", speed::descriptor),
    ("examples::python_changes_the_sensitivity", examples::python),
    ("examples::javascript_changes_the_sensitivity", examples::javascript),
    ("examples::shell_changes_the_sensitivity", examples::shell),
    ("examples::rust_changes_the_sensitivity", examples::rust),
    ("fuzz::no_call_kills_the_agent_or_changes_what_it_refused", fuzz::random_calls),
];

/// Not tests that can fail: `cargo xtask bench` asks for them.
const FIGURES: [(&str, Test); 2] = [
    ("figures::what_the_agent_costs", figures::costs),
    ("change::what_a_change_by_maccel_costs", change::costs),
];
const WANT_FIGURES: &str = "VESPERA_BUS_FIGURES";
/// Set by `cargo xtask test`: what is skipped there would pass for tested.
const MUST_RUN: &str = "VESPERA_BUS_TESTS_MUST_RUN";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let Some(rest) = caller::words(&words) {
        return caller::main(rest);
    }
    let arguments = Arguments::from_args();
    let figures = std::env::var_os(WANT_FIGURES).map_or(&[][..], |_| &FIGURES[..]);
    let tests: Vec<_> = TESTS.iter().chain(figures).copied().collect();
    if !arguments.list && !namespace::is_own() {
        match namespace::enter(words.get(1..).unwrap_or_default()) {
            Ok(code) => return code,
            Err(reason) => {
                eprintln!("the bus tests are skipped: {reason}");
                if std::env::var_os(MUST_RUN).is_some() {
                    eprintln!("{MUST_RUN} is set, so that is a failure");
                    return ExitCode::FAILURE;
                }
                let ignored = |(name, _): &(&'static str, Test)| {
                    Trial::test(*name, || Ok(())).with_ignored_flag(true)
                };
                return libtest_mimic::run(&arguments, tests.iter().map(ignored).collect())
                    .exit_code();
            }
        }
    }
    // One at a time: they share the one name on the bus.
    let arguments = Arguments { test_threads: Some(1), ..arguments };
    let world = if arguments.list { None } else { Some(Arc::new(World::new())) };
    let trial = |(name, test): &(&'static str, Test)| {
        let (world, test) = (world.clone(), *test);
        Trial::test(*name, move || {
            let world = world.ok_or_else(|| Failed::from("there is no bus"))?;
            test(&world);
            Ok(())
        })
    };
    let conclusion = libtest_mimic::run(&arguments, tests.iter().map(trial).collect());
    conclusion.exit_code()
}
