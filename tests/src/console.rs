// SPDX-License-Identifier: MIT OR Apache-2.0
//! The serial console: written to a log, and watched for complaints of the kernel.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a kernel says when something is wrong with it. Warnings are of level 4, which a kernel
/// booted with `quiet` does not print: guests run with `loglevel=5`.
const COMPLAINTS: &[&str] = &[
    "BUG:",
    "kernel BUG at",
    "WARNING:",
    "KASAN:",
    "UBSAN:",
    "KCSAN:",
    "Oops:",
    "Kernel panic",
    "Call Trace:",
    "cut here ]---",
    "general protection fault",
    "divide error:",
    "invalid opcode:",
    "stack segment:",
    "double fault:",
    "unable to handle",
    "Unable to handle",
    "possible circular locking",
    "possible recursive locking",
    "suspicious RCU usage",
    "inconsistent lock state",
    "invalid wait context",
    "sleeping function called",
    "scheduling while atomic",
    "blocked for more than",
    "detected stalls",
    "self-detected stall",
    "soft lockup",
    "hard LOCKUP",
    "refcount_t:",
    "list_add corruption",
    "list_del corruption",
    "new suspected memory leaks",
    "usercopy:",
];

/// What only looks like one: the kernel's remarks on the CPU's own faults, with `WARNING:` in
/// them (arch/x86/kernel/cpu/bugs.c), which guests without mitigations get.
const REMARKS: &[&str] = &[
    "Spectre V2 :",
    "RETBleed:",
    "Speculative Return Stack Overflow:",
    "MMIO Stale Data",
    "TAA:",
    "MDS:",
];

/// What a kernel says when the emulator ran an instruction that the other processor was replacing:
/// it takes the breakpoint, or the trap, that stands there meanwhile for one of its own. Seen with
/// QEMU 7.2 without KVM and two processors, a second or two into the boot.
const MISREAD: &[&str] = &["Oops: int3:", "exc_debug_kernel+"];
/// Begins the list of loaded modules in a kernel's complaint.
const MODULES: &str = "Modules linked in:";

/// Lines kept for error messages.
const TAIL: usize = 40;

/// A complaint of the guest's kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line.
    pub line: String,
    /// The words by which it was recognised.
    pub words: &'static str,
}

/// The fault a line reports, if it does.
#[must_use]
pub fn scan(line: &str) -> Option<Fault> {
    if REMARKS.iter().any(|remark| line.contains(remark)) {
        return None;
    }
    let words = COMPLAINTS.iter().find(|words| line.contains(**words))?;
    Some(Fault { line: line.to_owned(), words })
}

/// A guest's console while the guest runs, and afterwards.
#[derive(Debug, Default)]
pub struct Console {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    tail: VecDeque<String>,
    faults: Vec<Fault>,
    /// Whether the kernel said [`MISREAD`].
    misread: bool,
    /// Whether a complaint named a module.
    modules: bool,
    end: Option<String>,
}

/// What is told each line as it comes.
pub type OnLine = Box<dyn FnMut(&str) + Send>;

impl Console {
    /// Reads the console to its end: writes the log, watches, tells `on_line`.
    ///
    /// # Errors
    /// If the source cannot be read or the log not written.
    pub fn follow(
        &self,
        source: impl Read,
        mut log: impl Write,
        mut on_line: Option<OnLine>,
    ) -> io::Result<()> {
        let mut source = BufReader::new(source);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            if source.read_until(b'\n', &mut bytes)? == 0 {
                return log.flush();
            }
            log.write_all(&bytes)?;
            let line = plain_text(&bytes);
            if line.is_empty() {
                continue;
            }
            if let Some(on_line) = &mut on_line {
                on_line(&line);
            }
            self.note(line);
        }
    }

    fn note(&self, line: String) {
        let mut state = self.state();
        state.faults.extend(scan(&line));
        state.misread |= MISREAD.iter().any(|words| line.contains(words));
        let modules = line.split_once(MODULES).map(|(_, names)| names.trim());
        state.modules |= modules.is_some_and(|names| !names.is_empty());
        if state.tail.len() == TAIL {
            state.tail.pop_front();
        }
        state.tail.push_back(line);
        self.changed.notify_all();
    }

    /// The machine has ended, and how.
    pub fn end(&self, how: String) {
        self.state().end = Some(how);
        self.changed.notify_all();
    }

    /// Waits for the machine's end; `None` if it did not come in time.
    #[must_use]
    pub fn wait_for_end(&self, limit: Duration) -> Option<String> {
        self.wait(limit, |state| state.end.is_some()).end.clone()
    }

    /// How the machine ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<String> {
        self.state().end.clone()
    }

    /// The complaints so far.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.state().faults.clone()
    }

    /// Whether the emulator broke the kernel: it ran half-replaced code while no module was loaded, so
    /// none of ours either.
    #[must_use]
    pub fn misread(&self) -> bool {
        let state = self.state();
        state.misread && !state.modules
    }

    /// The last lines; before them the complaints that long stack traces pushed out.
    #[must_use]
    pub fn last_words(&self) -> String {
        let state = self.state();
        if state.tail.is_empty() {
            return "(it said nothing)".into();
        }
        let mut words: Vec<String> = state
            .faults
            .iter()
            .filter(|fault| !state.tail.contains(&fault.line))
            .map(|fault| format!("  {}", fault.line))
            .collect();
        if !words.is_empty() {
            words.push("  …".to_owned());
        }
        words.extend(state.tail.iter().map(|line| format!("  {line}")));
        words.join("\n")
    }

    fn wait(&self, limit: Duration, enough: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let deadline = Instant::now() + limit;
        let mut state = self.state();
        while !enough(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A console line without line ends, escape sequences and other control characters.
fn plain_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // CSI: parameters up to a letter; any other escape is two characters long.
            if characters.next() == Some('[') {
                characters.by_ref().find(|end| ('@'..='~').contains(end));
            }
        } else if character == '\t' || !character.is_control() {
            plain.push(character);
        }
    }
    plain.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_recognised() {
        for line in [
            "[    1.2] BUG: kernel NULL pointer dereference, address: 0000000000000000",
            "[    1.2] WARNING: CPU: 0 PID: 77 at drivers/input/x.c:12 maccel_x+0x1/0x2 [maccel]",
            "[    1.2] WARNING: possible circular locking dependency detected",
            "[    1.2] BUG: KASAN: slab-out-of-bounds in oob_set+0x1/0x2",
            "[    1.2] UBSAN: shift-out-of-bounds in x.c:1:2",
            "[    1.2] ------------[ cut here ]------------",
            "[    1.2][   T77] Oops: 0000 [#1] PREEMPT SMP NOPTI",
            "[    1.2] Kernel panic - not syncing: Attempted to kill init!",
            "[    1.2] divide error: 0000 [#1]",
            "[    1.2] INFO: task x:77 blocked for more than 120 seconds.",
        ] {
            assert!(scan(line).is_some(), "{line}");
        }
    }

    #[test]
    fn ordinary_lines_are_not() {
        for line in [
            "[    0.1] kasan: KernelAddressSanitizer initialized",
            "[    0.1] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on",
            "[    0.1] maccel: loading out-of-tree module taints kernel.",
            "[    0.1] ACPI BIOS Error (bug): Could not resolve symbol",
            "[  OK  ] Started something.service - Debug shell.",
        ] {
            assert_eq!(scan(line), None, "{line}");
        }
    }

    #[test]
    fn the_console_keeps_everything_and_remembers_faults() {
        let console = Console::default();
        let mut log = Vec::new();
        let text = b"\x1b[0;32mhello\x1b[0m\r\n[    1.0] BUG: x\r\nbye\xff\n";
        console.follow(text.as_slice(), &mut log, None).unwrap();
        assert_eq!(log, text);
        assert_eq!(console.faults(), [Fault { line: "[    1.0] BUG: x".into(), words: "BUG:" }]);
        assert_eq!(console.last_words(), "  hello\n  [    1.0] BUG: x\n  bye\u{fffd}");
        for _ in 0..TAIL {
            console.note("a stack trace".into());
        }
        assert!(console.last_words().starts_with("  [    1.0] BUG: x\n  …\n  a stack trace"));
    }

    #[test]
    fn a_kernel_that_the_emulator_broke_is_told_from_one_that_a_module_broke() {
        let misread = |lines: &[&str]| {
            let console = Console::default();
            lines.iter().for_each(|line| console.note((*line).to_owned()));
            console.misread()
        };
        let int3 = "[    2.775118] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI";
        let trap =
            "[    0.791657] WARNING: CPU: 0 PID: 0 at traps.c:1120 exc_debug_kernel+0xca/0x160";
        let (none, ours) =
            ("[    2.7] Modules linked in:", "[    9.1] Modules linked in: maccel(OE)");
        assert!(misread(&[int3, none]) && misread(&[trap, none]));
        assert!(!misread(&[int3, ours]), "a module may have done it");
        assert!(!misread(&[int3, none, ours]));
        assert!(!misread(&["[    2.7] Oops: 0000 [#1] PREEMPT SMP NOPTI", none]));
    }

    #[test]
    fn waiting_for_an_end_is_bounded() {
        let console = Console::default();
        assert_eq!(console.wait_for_end(Duration::from_millis(5)), None);
        console.end("exit status 0".into());
        assert!(console.wait_for_end(Duration::from_secs(60)).is_some());
    }
}
