//! Requests and responses on a stream: each is its length, an unsigned varint as libp2p writes it, and that many
//! bytes. The length tells an empty message from a stream that was closed without one.

use std::{io, sync::Arc};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use knackmesh_protocol::limits;
use libp2p::{StreamProtocol, request_response};
use tokio::sync::Semaphore;

/// Bytes that are read before more memory is taken, so that a length alone costs nothing.
const CHUNK_BYTES: usize = 16 * 1024;

/// Reads and writes messages of at most [`limits::MESSAGE_BYTES_MAX`].
#[derive(Clone)]
pub(super) struct Codec {
    /// Memory left for inbound requests, in bytes. Each may take one chunk beyond it, so that short requests are
    /// answered even while others use all of it up.
    memory: Arc<Semaphore>,
}

impl Codec {
    /// A codec whose clones share [`limits::REQUESTS_BYTES_MAX`].
    pub(super) fn new() -> Self {
        Codec { memory: Arc::new(Semaphore::new(limits::REQUESTS_BYTES_MAX)) }
    }
}

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, Some(&self.memory)).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        // Bounded by the number of our own requests.
        read(io, None).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Vec<u8>) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &request).await
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

async fn read<T>(io: &mut T, memory: Option<&Semaphore>) -> io::Result<Vec<u8>>
where
    T: AsyncRead + Unpin + Send,
{
    let length = read_length(io).await?;
    let mut bytes = Vec::new();
    let mut held = Vec::new();
    while bytes.len() < length {
        let start = bytes.len();
        let chunk = CHUNK_BYTES.min(length - start);
        if start > 0
            && let Some(memory) = memory
        {
            held.push(memory.acquire_many(chunk as u32).await.map_err(io::Error::other)?);
        }
        bytes.resize(start + chunk, 0);
        io.read_exact(&mut bytes[start..]).await?;
    }
    Ok(bytes)
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

    use futures::io::Cursor;

    use super::*;

    #[tokio::test]
    async fn messages_come_back_as_they_were_written() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 100_000, limits::MESSAGE_BYTES_MAX] {
            let message: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut stream = Vec::new();
            write(&mut stream, &message).await.unwrap();
            assert_eq!(read(&mut Cursor::new(stream), None).await.unwrap(), message);
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

    #[tokio::test]
    async fn short_requests_are_read_when_memory_is_used_up() {
        let none = Semaphore::new(0);
        let mut stream = Vec::new();
        write(&mut stream, &[7; CHUNK_BYTES]).await.unwrap();
        assert_eq!(read(&mut Cursor::new(stream), Some(&none)).await.unwrap().len(), CHUNK_BYTES);
    }
}
