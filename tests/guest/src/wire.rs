// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames between harness and guest: `u32 length, u8 kind, u32 request, body`, little endian.
//!
//! The length counts the body alone. Requests and outcomes are JSON, data is raw bytes, so that a
//! file of any content passes unchanged. One request runs at a time; the number tells a late
//! frame of a request given up from those of the next.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

/// The name of the virtio-serial port.
pub const PORT: &str = "org.vespera.test";
/// The largest body; data is cut into pieces of at most this size.
pub const MAX_BODY: usize = 64 * 1024;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// To the guest: a [`Request`].
    Request = 1,
    /// To the guest: bytes for the standard input, or for the file being written.
    Input = 2,
    /// To the guest: no more input.
    InputEnd = 3,
    /// To the guest: a [`WindowSize`].
    Resize = 4,
    /// To the guest: end the running request at once.
    Kill = 5,
    /// To the harness: [`Hello`].
    Hello = 0x81,
    /// To the harness: standard output, or the content of a file.
    Output = 0x82,
    /// To the harness: standard error.
    ErrorOutput = 0x83,
    /// To the harness: the [`Outcome`], the last frame of a request.
    Outcome = 0x84,
}

impl Kind {
    fn of_byte(byte: u8) -> Option<Self> {
        [
            Self::Request,
            Self::Input,
            Self::InputEnd,
            Self::Resize,
            Self::Kill,
            Self::Hello,
            Self::Output,
            Self::ErrorOutput,
            Self::Outcome,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What the body is.
    pub kind: Kind,
    /// The request it belongs to; 0 for [`Kind::Hello`].
    pub request: u32,
    /// The content.
    pub body: Vec<u8>,
}

/// Why a frame could not be read or understood.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The channel failed.
    #[error("the channel failed")]
    Io(#[from] io::Error),
    /// The bytes are no frame: the two ends have lost each other.
    #[error("not a frame: kind {kind:#04x}, length {length}")]
    NoFrame {
        /// The kind byte.
        kind: u8,
        /// The announced length.
        length: usize,
    },
    /// The body is not the JSON it should be.
    #[error("a frame of kind {kind:?} holds something else")]
    Body {
        /// The kind of the frame.
        kind: Kind,
        /// What the parser says.
        source: serde_json::Error,
    },
}

impl Frame {
    /// A frame with a JSON body.
    ///
    /// # Errors
    /// If the value cannot be written as JSON.
    pub fn json<T: Serialize>(kind: Kind, request: u32, value: &T) -> Result<Self, WireError> {
        let body = serde_json::to_vec(value).map_err(|source| WireError::Body { kind, source })?;
        Ok(Self { kind, request, body })
    }

    /// The JSON body as a value.
    ///
    /// # Errors
    /// If the body is something else.
    pub fn value<'a, T: Deserialize<'a>>(&'a self) -> Result<T, WireError> {
        serde_json::from_slice(&self.body)
            .map_err(|source| WireError::Body { kind: self.kind, source })
    }

    /// Writes the frame in one piece.
    ///
    /// # Errors
    /// If the channel fails, or the body is longer than a frame may be.
    pub fn write_to(&self, channel: &mut impl Write) -> Result<(), WireError> {
        // A JSON body may be longer than a piece of data: a mouse plan is one argument.
        let length = u32::try_from(self.body.len())
            .map_err(|_| WireError::NoFrame { kind: self.kind as u8, length: self.body.len() })?;
        let mut bytes = Vec::with_capacity(self.body.len() + 9);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&self.request.to_le_bytes());
        bytes.extend_from_slice(&self.body);
        channel.write_all(&bytes)?;
        Ok(())
    }

    /// Reads the next frame; `None` when the channel ended between two frames.
    ///
    /// # Errors
    /// If the channel fails or what arrives is no frame.
    pub fn read_from(channel: &mut impl Read) -> Result<Option<Self>, WireError> {
        let mut head = [0_u8; 9];
        let mut filled = 0;
        while filled < head.len() {
            match channel.read(&mut head[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let [l0, l1, l2, l3, kind_byte, r0, r1, r2, r3] = head;
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let request = u32::from_le_bytes([r0, r1, r2, r3]);
        // Nothing sensible is larger; a larger number means that the two ends lost each other.
        let kind = Kind::of_byte(kind_byte)
            .filter(|_| length <= 64 << 20)
            .ok_or(WireError::NoFrame { kind: kind_byte, length })?;
        let mut body = vec![0; length];
        channel.read_exact(&mut body)?;
        Ok(Some(Self { kind, request, body }))
    }
}

/// The first frame of an agent that is ready for requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// What the guest became.
    pub flavour: crate::boot::Flavour,
    /// `uname -r`.
    pub release: String,
    /// Where the guest's own program lies, for its subcommands.
    pub program: String,
    /// Milliseconds since the kernel started.
    pub uptime_ms: u64,
    /// The modules the init was told to load, in order.
    pub modules: Vec<LoadedModule>,
}

/// What became of a module of the initramfs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedModule {
    /// The file, `NAME.ko`.
    pub file: String,
    /// The reason, if the kernel refused it.
    pub refused: Option<Refusal>,
}

/// A refusal by the guest's kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The error number, where there is one.
    pub errno: Option<i32>,
    /// In words, with the path.
    pub message: String,
}

/// Something the guest is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Request {
    /// Run a program.
    Run(Command),
    /// Send the content of a file.
    Read {
        /// The path in the guest.
        path: String,
    },
    /// Write the input to a file, in one `write` call if it is at most a page: a parameter file
    /// takes a value in one piece.
    Write {
        /// The path in the guest.
        path: String,
        /// The mode of a file that did not exist.
        mode: u32,
    },
    /// Insert a module file.
    InsertModule {
        /// The path in the guest.
        path: String,
        /// Its parameters, as in `insmod`.
        parameters: String,
    },
    /// Remove a module.
    RemoveModule {
        /// Its name.
        name: String,
    },
    /// Write back and power off without asking anyone (a driver guest has nobody to ask).
    PowerOff,
}

/// A program to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Additions to the environment.
    #[serde(default)]
    pub env: Vec<(String, String)>,
    /// After this time its process group is killed.
    pub timeout_ms: u64,
    /// Run it on a terminal of this size.
    #[serde(default)]
    pub terminal: Option<WindowSize>,
}

/// The size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSize {
    /// Characters in a row.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// It was done.
    Done,
    /// The program ended with this code.
    Exited {
        /// The exit code.
        code: i32,
    },
    /// The program was ended by a signal.
    Signalled {
        /// The signal.
        signal: i32,
    },
    /// The program was killed since its time was over.
    TimedOut,
    /// It could not be done.
    Refused(Refusal),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_the_channel() {
        let request = Request::Write { path: "/x".into(), mode: 0o644 };
        let frames = [
            Frame::json(Kind::Request, 7, &request).unwrap(),
            Frame { kind: Kind::Input, request: 7, body: vec![0, 255, 10] },
            Frame { kind: Kind::InputEnd, request: 7, body: vec![] },
        ];
        let mut bytes = Vec::new();
        for frame in &frames {
            frame.write_to(&mut bytes).unwrap();
        }
        let mut channel = bytes.as_slice();
        for frame in &frames {
            assert_eq!(Frame::read_from(&mut channel).unwrap().as_ref(), Some(frame));
        }
        assert_eq!(Frame::read_from(&mut channel).unwrap(), None);
        assert_eq!(frames[0].value::<Request>().unwrap(), request);
    }

    #[test]
    fn a_stream_out_of_step_is_noticed() {
        let mut text = b"[    0.1] console text is no frame".as_slice();
        assert!(matches!(Frame::read_from(&mut text), Err(WireError::NoFrame { .. })));
        let mut cut = [3_u8, 0, 0, 0, 1].as_slice();
        assert!(matches!(Frame::read_from(&mut cut), Err(WireError::Io(_))));
    }
}
