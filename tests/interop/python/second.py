"""What libp2p.test.mjs reads, read once more, from the chapters of protocol/spec: framing, envelopes, items, topics and keys.

Shapes of statements are checked by the implementation in JavaScript alone.
"""

import time

import base58
import cbor2
from blake3 import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MESSAGE_BYTES_MAX = 1_048_576
CLOCK_SKEW_MAX_MS = 120_000
EPOCH_MS = 86_400_000
SIGNERS = {"summary": "view", "tombstone": "view", "acknowledgement": "node", "receipt": "node"}


class Refused(Exception):
    """Bytes that the specification refuses."""


def now_ms():
    return time.time_ns() // 1_000_000


def encode(value):
    """The one encoding of a value."""
    return cbor2.dumps(value, canonical=True)


def decode(data):
    """The value of canonical bytes."""
    try:
        value = cbor2.loads(data)
    except (cbor2.CBORDecodeError, RecursionError) as error:
        raise Refused from error
    if encode(value) != data:
        raise Refused("it would be written otherwise")
    return value


def digest(*parts):
    return blake3(b"".join(parts)).digest()


def did_key(key):
    return "did:key:z" + base58.b58encode(b"\xed\x01" + key).decode()


def key_of(did):
    return base58.b58decode(did.removeprefix("did:key:z"))[2:]


def signing_input(domain, body):
    return f"knackmesh/1 {domain}\0".encode() + body


def sign(domain, statement, secret):
    """An envelope, as a map."""
    body = encode(statement)
    return {"body": body, "signature": Ed25519PrivateKey.from_private_bytes(secret).sign(signing_input(domain, body))}


def opened(domain, envelope):
    """What an envelope (a map) of a domain states, and its id."""
    if set(envelope) != {"body", "signature"}:
        raise Refused("another shape")
    body = envelope["body"]
    statement = decode(body)
    try:
        key = Ed25519PublicKey.from_public_bytes(statement[SIGNERS[domain]])
        key.verify(envelope["signature"], signing_input(domain, body))
    except InvalidSignature as error:
        raise Refused("signature") from error
    return statement, digest(body)


def read_item(data):
    """The kind of an item, what it states, and its id."""
    [(kind, envelope)] = decode(data).items()
    return kind, *opened(kind, envelope)


def is_current(statement):
    return statement["issued"] <= now_ms() + CLOCK_SKEW_MAX_MS and now_ms() < statement["expires"]


def topic_of(kind, view):
    first = digest(view)[0]
    return f"/knack/1/announce/{first % 64}" if kind == "summary" else f"/knack/1/withdraw/{first % 16}"


def record_key(view):
    return f"/knack/{did_key(view)}"


def message_id(topic, data):
    return digest(len(topic.encode()).to_bytes(8, "little"), topic.encode(), data)


def epoch():
    """The day for which places hold now."""
    return now_ms() // EPOCH_MS


def cell_key(cell):
    """Where the hash table has a cell."""
    return digest(encode(["knack-cell", cell]))


def framed(message):
    """A message as it stands on a stream."""
    length, prefix = len(message), bytearray()
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*prefix, length]) + message


def unframed(data):
    """The message that a whole stream holds."""
    end = next((i + 1 for i, byte in enumerate(data[:3]) if byte < 0x80), 0)
    length = sum((byte & 0x7F) << 7 * i for i, byte in enumerate(data[:end]))
    if not end or length > MESSAGE_BYTES_MAX or len(data) != end + length:
        raise Refused(f"{len(data)} bytes on the stream")
    return data[end:]


def public_key(secret):
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def node_key(peer_id):
    """The key of a peer id in its usual form: base58 of the identity multihash of an Ed25519 key's protobuf."""
    multihash = base58.b58decode(peer_id)
    if multihash[:6] != bytes.fromhex("002408011220"):
        raise Refused("not an Ed25519 key")
    return multihash[6:]
