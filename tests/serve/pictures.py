"""Pictures compared, and files that the page has to refuse."""

import struct
import zlib
from pathlib import Path

from PIL import Image


def same(one: Image.Image, other: Image.Image) -> bool:
    """True if two pictures have the same size, mode and pixels."""
    about = [(image.size, image.mode, image.tobytes()) for image in (one, other)]
    return about[0] == about[1]


def png_of_zeros(path: Path, width: int, height: int) -> Path:
    """A gray PNG of any size, from a hundredth of the bytes that it stands for."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    squeezed = zlib.compressobj(1)
    rows = b"".join(squeezed.compress(bytes(width + 1)) for _ in range(height)) + squeezed.flush()
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks))
    return path


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
