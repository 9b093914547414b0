//! Requests and responses on a stream: each is its length, an unsigned varint as libp2p writes it, and that many
//! bytes. The length tells an empty message from a stream that was closed without one.

use std::{io, sync::Arc};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use knackmesh_protocol::limits;
use libp2p::{StreamProtocol, request_response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that are read before more memory is taken, so that a length alone costs nothing.
const CHUNK_BYTES: usize = 16 * 1024;

/// Reads and writes messages of at most [`limits::MESSAGE_BYTES_MAX`].
#[derive(Clone)]
pub(super) struct Codec {
    /// Memory left for inbound requests, in bytes, from their first byte until they are answered. Each may take one chunk
    /// beyond it, so that short requests are answered even while others use all of it up.
    memory: Arc<Semaphore>,
}

/// A request, in one direction or the other.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// The memory that an inbound one is counted as, until it is dropped.
    pub(super) held: Held,
}

/// Memory that counts as used until this is dropped; none for requests of our own.
pub(super) type Held = Option<OwnedSemaphorePermit>;

impl Body {
    /// A request of our own.
    pub(super) fn own(bytes: Vec<u8>) -> Self {
        Body { bytes, held: None }
    }
}

impl Codec {
    /// A codec whose clones share [`limits::REQUESTS_BYTES_MAX`].
    pub(super) fn new() -> Self {
        Codec { memory: Arc::new(Semaphore::new(limits::REQUESTS_BYTES_MAX)) }
    }
}

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Body;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Body>
    where
        T: AsyncRead + Unpin + Send,
    {
        let (bytes, held) = read(io, Some(&self.memory)).await?;
        Ok(Body { bytes, held })
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        // Bounded by the number of our own requests.
        read(io, None).await.map(|(bytes, _)| bytes)
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Body) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &request.bytes).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, response: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &response).await
    }
}

/// The error of a message that is longer than the bound.
fn too_long() -> io::Error {
    io::ErrorKind::FileTooLarge.into()
}

/// The error of a request for which there is no memory left.
///
/// The stream ends with it instead of waiting for room: what a stream has received and nobody reads lies in its window,
/// which no bound of ours counts.
fn no_room() -> io::Error {
    io::ErrorKind::OutOfMemory.into()
}

async fn read<T>(io: &mut T, memory: Option<&Arc<Semaphore>>) -> io::Result<(Vec<u8>, Held)>
where
    T: AsyncRead + Unpin + Send,
{
    let length = read_length(io).await?;
    let mut bytes = Vec::new();
    let mut held: Held = None;
    while bytes.len() < length {
        let start = bytes.len();
        let chunk = CHUNK_BYTES.min(length - start);
        if let Some(memory) = memory {
            match (Arc::clone(memory).try_acquire_many_owned(chunk as u32), &mut held) {
                (Ok(more), Some(held)) => held.merge(more),
                (Ok(more), None) => held = Some(more),
                (Err(_), _) if start == 0 => {}
                (Err(_), _) => return Err(no_room()),
            }
        }
        bytes.resize(start + chunk, 0);
        io.read_exact(&mut bytes[start..]).await?;
    }
    Ok((bytes, held))
}

async fn read_length<T>(io: &mut T) -> io::Result<usize>
where
    T: AsyncRead + Unpin + Send,
{
    let mut length = 0;
    for shift in [0, 7, 14] {
        let mut byte = [0];
        io.read_exact(&mut byte).await?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            return if length <= limits::MESSAGE_BYTES_MAX { Ok(length) } else { Err(too_long()) };
        }
    }
    // Three groups of seven bits hold every length allowed.
    Err(too_long())
}

async fn write<T>(io: &mut T, bytes: &[u8]) -> io::Result<()>
where
    T: AsyncWrite + Unpin + Send,
{
    if bytes.len() > limits::MESSAGE_BYTES_MAX {
        return Err(too_long());
    }
    let mut length = bytes.len();
    let mut prefix = Vec::with_capacity(3);
    while length >= 0x80 {
        prefix.push(length as u8 | 0x80);
        length >>= 7;
    }
    prefix.push(length as u8);
    io.write_all(&prefix).await?;
    io.write_all(bytes).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::{FutureExt, io::Cursor};

    use super::*;

    #[tokio::test]
    async fn messages_come_back_as_they_were_written() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 100_000, limits::MESSAGE_BYTES_MAX] {
            let message: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut stream = Vec::new();
            write(&mut stream, &message).await.unwrap();
            assert_eq!(read(&mut Cursor::new(stream), None).await.unwrap().0, message);
        }
    }

    #[tokio::test]
    async fn what_is_no_message_is_an_error() {
        let cases: [(&[u8], io::ErrorKind); 5] = [
            (&[], io::ErrorKind::UnexpectedEof),
            (&[0x80], io::ErrorKind::UnexpectedEof),
            (&[5, 1, 2], io::ErrorKind::UnexpectedEof),
            (&[0x81, 0x80, 0x40], io::ErrorKind::FileTooLarge),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0x01], io::ErrorKind::FileTooLarge),
        ];
        for (bytes, kind) in cases {
            assert_eq!(read(&mut Cursor::new(bytes), None).await.unwrap_err().kind(), kind, "{bytes:?}");
        }
        let long = vec![0; limits::MESSAGE_BYTES_MAX + 1];
        assert_eq!(write(&mut Vec::new(), &long).await.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    async fn message(length: usize) -> Cursor<Vec<u8>> {
        let mut stream = Vec::new();
        write(&mut stream, &vec![7; length]).await.unwrap();
        Cursor::new(stream)
    }

    #[tokio::test]
    async fn short_requests_are_read_when_memory_is_used_up() {
        let none = Arc::new(Semaphore::new(0));
        let (bytes, held) = read(&mut message(CHUNK_BYTES).await, Some(&none)).await.unwrap();
        assert_eq!((bytes.len(), held.is_none()), (CHUNK_BYTES, true));
    }

    #[tokio::test]
    async fn a_long_request_is_refused_at_once_when_memory_is_used_up() {
        let none = Arc::new(Semaphore::new(0));
        // A reader that waited for room would keep what has arrived in the stream's window.
        let read = read(&mut message(CHUNK_BYTES + 1).await, Some(&none)).now_or_never();
        assert_eq!(read.unwrap().unwrap_err().kind(), io::ErrorKind::OutOfMemory);
    }

    #[tokio::test]
    async fn a_request_counts_until_whoever_answers_it_lets_go_of_it() {
        let memory = Arc::new(Semaphore::new(3 * CHUNK_BYTES));
        let (_, held) = read(&mut message(2 * CHUNK_BYTES).await, Some(&memory)).await.unwrap();
        assert_eq!(memory.available_permits(), CHUNK_BYTES);
        let refused = read(&mut message(2 * CHUNK_BYTES).await, Some(&memory)).await;
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::OutOfMemory);
        assert_eq!(memory.available_permits(), CHUNK_BYTES, "what was refused is free again");
        drop(held);
        assert!(read(&mut message(3 * CHUNK_BYTES).await, Some(&memory)).await.is_ok());
    }
}
