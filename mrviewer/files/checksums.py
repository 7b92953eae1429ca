"""Telling the content of a file from its first and last bytes, without reading all of it."""

import hashlib
from pathlib import Path

from mrviewer.errors import FileFormatError

__all__ = ["content_signature"]

_GZIP_MAGIC = b"\x1f\x8b"
_SMALLEST_GZIP = 18
_PIECE = 1 << 16


def content_signature(path: Path) -> str:
    """Text that two files share if their content is the same, as nearly as some bytes tell.

    A gzip file ends with the checksum (CRC-32) and size of what it holds, so that the same image is known again even
    where it was compressed differently. Other files are told by their size and by pieces of their beginning, middle
    and end.

    Raises
    ------
    FileFormatError
        If the file cannot be read.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(2) == _GZIP_MAGIC and size > _SMALLEST_GZIP:
                file.seek(-8, 2)
                trailer = file.read(8)
                # A file of several gzip members may end with an empty one, which tells nothing.
                if trailer[4:] != bytes(4):
                    return f"crc-{trailer.hex()}"
            digest = hashlib.sha256()
            for place in (0, size // 2, max(size - _PIECE, 0)):
                file.seek(place)
                digest.update(file.read(_PIECE))
    except OSError as error:
        raise FileFormatError(f"{path.name} cannot be read ({error.strerror}); check the disk") from error
    return f"{size}-{digest.hexdigest()[:16]}"
