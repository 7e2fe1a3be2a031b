//! Zstandard as a stream: frames one after another, as the format allows (RFC 8878, 3).
//!
//! Compression works on pieces in memory, so that a failing disk is an error and never a panic.

use std::io::{self, BufRead, Read, Write};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use ruzstd::encoding::{CompressionLevel, compress};

/// How much goes into one frame.
const PIECE: usize = 4 << 20;

/// Compresses what is written to it.
pub(super) struct Compressor<W: Write> {
    out: W,
    piece: Vec<u8>,
}

impl<W: Write> Compressor<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            piece: Vec::with_capacity(PIECE),
        }
    }

    fn end_piece(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let mut frame = Vec::with_capacity(self.piece.len() / 2);
        compress(&self.piece[..], &mut frame, CompressionLevel::Fastest);
        self.piece.clear();
        self.out.write_all(&frame)
    }

    /// Writes what is left; gives the stream below.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.end_piece()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.end_piece()?;
        }
        Ok(taken)
    }

    /// Nothing: frames end where they are full.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what the frames of a stream hold.
pub(super) struct Decompressor<R: BufRead> {
    state: State<R>,
}

enum State<R: BufRead> {
    Between(R),
    Within(Box<StreamingDecoder<R, FrameDecoder>>),
    Ended,
}

impl<R: BufRead> Decompressor<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            state: State::Between(source),
        }
    }
}

impl<R: BufRead> Read for Decompressor<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Between(mut source) => {
                    if source.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let decoder = StreamingDecoder::new(source).map_err(|why| {
                        io::Error::new(io::ErrorKind::InvalidData, why.to_string())
                    })?;
                    self.state = State::Within(Box::new(decoder));
                }
                State::Within(mut decoder) => match decoder.read(bytes)? {
                    0 => self.state = State::Between(decoder.into_inner()),
                    count => {
                        self.state = State::Within(decoder);
                        return Ok(count);
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut compressor = Compressor::new(Vec::new());
        compressor.write_all(bytes).unwrap();
        compressor.finish().unwrap()
    }

    #[test]
    fn several_frames_are_one_stream() {
        let bytes: Vec<u8> = (0..2 * PIECE + 5).map(|at| (at / 7 % 251) as u8).collect();
        let packed = packed(&bytes);
        assert!(packed.len() < bytes.len() / 2);
        let mut back = Vec::new();
        Decompressor::new(&packed[..])
            .read_to_end(&mut back)
            .unwrap();
        assert!(back == bytes);
    }

    #[test]
    fn nothing_is_nothing_and_a_torn_stream_is_an_error() {
        assert!(packed(b"").is_empty());
        let mut back = Vec::new();
        assert_eq!(
            Decompressor::new(&b""[..]).read_to_end(&mut back).unwrap(),
            0
        );
        let packed = packed(&[7; 100_000]);
        for end in [1, 5, packed.len() - 5] {
            let read = Decompressor::new(&packed[..end]).read_to_end(&mut Vec::new());
            assert!(read.is_err(), "{end}");
        }
    }
}
