// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's monitor (QMP): stop, continue, quit, attach a disk to the running machine.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::HarnessError;

/// QEMU answers within milliseconds, unless the host is very busy.
const ANSWER: Duration = Duration::from_secs(30);

/// A connection to the monitor.
#[derive(Debug)]
pub struct Monitor {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
}

impl Monitor {
    /// Takes over a connection that QEMU has just made.
    ///
    /// # Errors
    /// If QEMU does not greet.
    pub fn new(stream: UnixStream) -> Result<Self, HarnessError> {
        let host = || HarnessError::host("preparing the connection to QEMU's monitor");
        stream.set_read_timeout(Some(ANSWER)).map_err(host())?;
        stream.set_write_timeout(Some(ANSWER)).map_err(host())?;
        let writer = stream.try_clone().map_err(host())?;
        let mut monitor = Self { reader: BufReader::new(stream), writer };
        monitor.line()?;
        monitor.execute("qmp_capabilities", &json!({}))?;
        Ok(monitor)
    }

    /// Runs a command and gives its result.
    ///
    /// # Errors
    /// If QEMU refuses the command or does not answer.
    pub fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value, HarnessError> {
        let text = json!({ "execute": command, "arguments": arguments }).to_string();
        self.writer
            .write_all(text.as_bytes())
            .map_err(HarnessError::host("asking QEMU's monitor"))?;
        loop {
            let mut answer = self.line()?;
            if let Some(error) = answer.get("error") {
                let reason = error["desc"].as_str().unwrap_or("no reason given").to_owned();
                return Err(HarnessError::Monitor { command: command.to_owned(), reason });
            }
            // Events come in between.
            if let Some(result) = answer.get_mut("return") {
                return Ok(result.take());
            }
        }
    }

    fn line(&mut self) -> Result<Value, HarnessError> {
        let mut line = String::new();
        self.reader
            .read_line(&mut line)
            .map_err(HarnessError::host("waiting for QEMU's monitor"))?;
        serde_json::from_str(&line).map_err(|error| HarnessError::Monitor {
            command: "(answer)".into(),
            reason: format!("{error}: {line:?}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn answers_are_told_from_events_and_refusals() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let qemu = thread::spawn(move || {
            let mut theirs = theirs;
            let mut reader = BufReader::new(theirs.try_clone().unwrap());
            theirs.write_all(b"{\"QMP\":{}}\n").unwrap();
            for answer in [
                "{\"return\":{}}\n",
                "{\"event\":\"STOP\"}\n{\"return\":{\"status\":\"paused\"}}\n",
                "{\"error\":{\"desc\":\"no such device\"}}\n",
            ] {
                let mut command = [0; 512];
                std::io::Read::read(&mut reader, &mut command).unwrap();
                theirs.write_all(answer.as_bytes()).unwrap();
            }
        });
        let mut monitor = Monitor::new(ours).unwrap();
        let status = monitor.execute("query-status", &json!({})).unwrap();
        assert_eq!(status["status"], "paused");
        let error = monitor.execute("device_del", &json!({"id": "x"})).unwrap_err();
        assert_eq!(error.to_string(), "QEMU refused `device_del`: no such device");
        qemu.join().unwrap();
    }
}
