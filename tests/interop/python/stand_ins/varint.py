"""Stands in for the package of this name, which has no wheel: unsigned varints, seven bits a byte, the lowest first."""

import io


def encode(number):
    """The bytes of a number."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def decode_stream(stream):
    """The number that a stream begins with."""
    number = shift = 0
    while byte := stream.read(1):
        number |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            return number
    raise EOFError("a number without an end")


def decode_bytes(data):
    """The number that bytes begin with."""
    return decode_stream(io.BytesIO(data))
