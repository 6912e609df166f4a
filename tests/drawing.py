"""The smallest whole pictures, and ones that are none."""

import struct
import zlib


def png() -> bytes:
    """Return a whole PNG of one pixel."""
    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _part(b"IHDR", head) + _part(b"IDAT", zlib.compress(b"\0\0")) + _part(b"IEND", b"")


def _part(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def jpeg() -> bytes:
    """Return what has the parts of a JPEG."""
    frame = b"\xff\xc0" + struct.pack(">H", 11) + b"\x08\0\1\0\1\1\1\x11\0"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\1\1\0\0\x3f\0" + b"\x2a\x2a"
    return b"\xff\xd8" + b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9) + frame + scan + b"\xff\xd9"
