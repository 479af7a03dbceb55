//! Input in blocks of whole lines, read by a thread of its own.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use types::ByteCount;

/// How much is read at a time; a block is larger only if a line is.
const READ_SIZE: usize = 256 * 1024;

/// Blocks that wait to be taken.
const BLOCKS_MAX: usize = 8;

/// The longest line that is read; no topic takes a record of this size.
pub(super) const LINE_SIZE_MAX: ByteCount = ByteCount::mib(64);

/// Why reading ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputFault {
    /// The system cannot read.
    #[error("cannot read the input")]
    Read(#[from] io::Error),
    /// The line behind the last block does not end.
    #[error("longer than {LINE_SIZE_MAX}: are there newlines in this file?")]
    EndlessLine,
}

/// What there is at the moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// Whole lines, each with its newline but perhaps the last of all.
    Block(Vec<u8>),
    /// Nothing yet.
    Nothing,
    /// Everything was taken.
    End,
}

/// Blocks of whole lines.
#[derive(Debug)]
pub(super) struct Blocks(Receiver<Result<Vec<u8>, InputFault>>);

impl Blocks {
    /// Starts to read. The thread ends with the input, or with the next block after `self`.
    pub(super) fn read(input: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(BLOCKS_MAX);
        let builder = thread::Builder::new().name("produce-read".to_owned());
        builder.spawn(move || send_blocks(input, &sender))?;
        Ok(Self(receiver))
    }

    /// Waits up to `wait` for the next block.
    pub(super) fn next(&self, wait: Duration) -> Result<Arrived, InputFault> {
        match self.0.recv_timeout(wait) {
            Ok(block) => block.map(Arrived::Block),
            Err(RecvTimeoutError::Timeout) => Ok(Arrived::Nothing),
            Err(RecvTimeoutError::Disconnected) => Ok(Arrived::End),
        }
    }
}

fn send_blocks(input: impl Read, blocks: &SyncSender<Result<Vec<u8>, InputFault>>) {
    let mut cutter = Cutter {
        input,
        begun: Vec::new(),
        has_ended: false,
    };
    while let Some(block) = cutter.next_block().transpose() {
        let over = block.is_err();
        // Nobody takes any more when the command has failed.
        if blocks.send(block).is_err() || over {
            return;
        }
    }
}

/// Cuts input behind the newlines.
struct Cutter<R> {
    input: R,
    /// The beginning of a line.
    begun: Vec<u8>,
    /// A terminal can be read on behind its end: it must not be asked again.
    has_ended: bool,
}

impl<R: Read> Cutter<R> {
    /// Reads until a line ends; what is behind the last newline is kept for the next block.
    fn next_block(&mut self) -> Result<Option<Vec<u8>>, InputFault> {
        let mut block = std::mem::take(&mut self.begun);
        while !self.has_ended {
            let known = block.len();
            block.resize(known + READ_SIZE, 0);
            let read = self.input.read(block.get_mut(known..).unwrap_or_default());
            let length = match &read {
                Ok(length) => *length,
                Err(_) => 0,
            };
            block.truncate(known + length);
            match read {
                Ok(length) => self.has_ended = length == 0,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            let fresh = block.get(known..).unwrap_or_default();
            if let Some(newline) = fresh.iter().rposition(|&byte| byte == b'\n') {
                self.begun = block.split_off(known + newline + 1);
                return Ok(Some(block));
            }
            if ByteCount::of(&block) > LINE_SIZE_MAX {
                return Err(InputFault::EndlessLine);
            }
        }
        Ok((!block.is_empty()).then_some(block))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives out its pieces one by one, now and then with an interruption between.
    struct Pieces(Vec<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(piece) = self.0.pop() else {
                return Ok(0);
            };
            if piece.is_empty() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            buffer[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    fn all(input: impl Read + Send + 'static) -> Result<Vec<Vec<u8>>, InputFault> {
        let blocks = Blocks::read(input).unwrap();
        let mut taken = Vec::new();
        loop {
            match blocks.next(Duration::from_mins(1))? {
                Arrived::Block(block) => taken.push(block),
                Arrived::Nothing => panic!("the reading thread is stuck"),
                Arrived::End => return Ok(taken),
            }
        }
    }

    #[test]
    fn a_typed_line_is_a_block_at_once() {
        let typed = ["last", "two\n", "one\n"].map(|text| text.as_bytes().to_vec());
        let blocks = all(Pieces(typed.to_vec())).unwrap();
        assert_eq!(blocks, [&b"one\n"[..], b"two\n", b"last"]);
    }

    #[test]
    fn a_file_without_newlines_is_not_read_into_memory() {
        let error = all(io::repeat(b'x')).unwrap_err();
        assert!(matches!(error, InputFault::EndlessLine), "{error}");
    }

    proptest! {
        #[test]
        fn blocks_are_the_input_cut_behind_newlines(
            pieces in prop::collection::vec("[a\n]{0,5}".prop_map(String::into_bytes), 0..20),
        ) {
            let input: Vec<u8> = pieces.iter().rev().flatten().copied().collect();
            let blocks = all(Pieces(pieces)).unwrap();
            prop_assert_eq!(blocks.concat(), input);
            let lasts = blocks.iter().rev().skip(1);
            prop_assert!(lasts.into_iter().all(|block| block.ends_with(b"\n")));
            prop_assert!(blocks.iter().all(|block| !block.is_empty()));
        }
    }
}
