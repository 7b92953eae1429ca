"""The bytes of a file, compressed with gzip or not: read in part, and known to be there before memory is taken."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from isal import igzip
from isal.igzip_lib import IsalError

from mrviewer.errors import FileFormatError, InputError

__all__ = ["MAX_DEFLATE_RATIO", "StoredBytes", "require_own_values"]

GZIP_MAGIC = b"\x1f\x8b"
MAX_DEFLATE_RATIO = 1032
"""One bit of deflate stands for 258 equal bytes at most in every two bits (RFC 1951)."""
SMALLEST_GZIP = 18
CHUNK = 1 << 20
_DAMAGED = (EOFError, gzip.BadGzipFile, IsalError)


@dataclass(frozen=True)
class StoredBytes:
    """The content of one file.

    Parameters
    ----------
    path
        Where it lies.
    compressed
        Whether it is a gzip stream; found in its first bytes, not in its name.
    size
        Bytes on the disk.
    """

    path: Path
    compressed: bool
    size: int

    @classmethod
    def of(cls, path: Path) -> "StoredBytes":
        """Look at a file without reading more than its first two bytes.

        Raises
        ------
        InputError
            If there is no such file, or no permission to read it.
        FileFormatError
            If it is empty.
        """
        if not path.exists():
            raise InputError(f"there is no file {path.name}; check the path")
        if not path.is_file():
            raise InputError(f"{path.name} is no file; give the path of an image file")
        try:
            with path.open("rb") as file:
                magic = file.read(2)
        except OSError as error:
            raise InputError(f"{path.name} cannot be read ({error.strerror}); check its permissions") from error
        if not magic:
            raise FileFormatError(f"{path.name} is an empty file; copy or download it again")
        return cls(path, magic == GZIP_MAGIC, path.stat().st_size)

    def head(self, count: int) -> bytes:
        """Return the first `count` bytes, or fewer if there are no more."""
        with self._opened() as file:
            return file.read(count)

    def require(self, count: int) -> None:
        """Refuse the file if it cannot hold `count` bytes of content.

        A gzip file tells its size modulo 4 GiB in its last bytes. Where these do not confirm `count`, because the file
        is cut short or is made of several members, it is decompressed piece by piece, and nothing is kept.

        Raises
        ------
        FileFormatError
            If it holds fewer.
        """
        if not self.compressed:
            if self.size < count:
                raise self._cut_short(count, f"the file holds {self.size:,}")
        elif count > self.size * MAX_DEFLATE_RATIO:
            raise self._cut_short(count, f"{self.size:,} compressed bytes cannot hold that")
        elif self._size_in_trailer() != count % (1 << 32):
            self._count(count)

    def fill(self, buffer: memoryview, offset: int, times: int, *, to_end: bool = True) -> Iterator[None]:
        """Fill a writable buffer of bytes with one piece of the content after the other, from `offset` on.

        Stops after each piece; the checksum of a gzip file is verified after the last one, if it is the end.

        Raises
        ------
        FileFormatError
            If the file has changed, ends early, or is damaged.
        """
        needed = offset + times * len(buffer)
        with self._opened() as file:
            found = len(file.read(offset))
            for _ in range(times):
                start = found
                while found < start + len(buffer):
                    count = file.readinto(buffer[found - start :])  # type: ignore[attr-defined]
                    if not count:
                        raise self._cut_short(needed, f"the file holds {found:,}")
                    found += count
                yield
            # The checksum is compared when the end is met. Damage can make the decompressor run past it.
            if to_end and file.read(1) and self.compressed and self._size_in_trailer() == needed % (1 << 32):
                raise FileFormatError(
                    f"{self.path.name} is damaged or cut short (it goes on after the {needed:,} bytes that it says it "
                    "holds); copy or download it again"
                )

    def whole(self, count: int) -> bytearray | None:
        """Decompress a gzip file of `count` bytes of content at once, which is quicker than piece by piece.

        Returns
        -------
        The content, writable; `None` if it is not compressed, or is made of several members.

        Raises
        ------
        FileFormatError
            If the file has changed, ends early, or is damaged.
        """
        if not self.compressed or not 0 < count <= self.size * MAX_DEFLATE_RATIO:
            return None
        if self._size_in_trailer() != count % (1 << 32):
            return None
        content = bytearray(count)
        for _ in self.fill(memoryview(content), 0, 1):
            pass
        return content

    def _count(self, needed: int) -> None:
        buffer = memoryview(bytearray(min(needed, CHUNK)))
        found = 0
        with self._opened() as file:
            while found < needed:
                count = file.readinto(buffer)  # type: ignore[attr-defined]
                if not count:
                    raise self._cut_short(needed, f"the file holds {found:,}")
                found += count

    def _size_in_trailer(self) -> int:
        if self.size < SMALLEST_GZIP:
            return -1
        with self._in_words(), self.path.open("rb") as file:
            file.seek(-4, 2)
            return int.from_bytes(file.read(4), "little")

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """Open for reading."""
        with self._in_words(), igzip.open(self.path, "rb") if self.compressed else self.path.open("rb") as file:
            yield file

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Turn what the disk or the decompressor has to say into one sentence."""
        try:
            yield
        except _DAMAGED as error:  # type: ignore[misc]  # isal's stubs declare its error as an instance
            raise FileFormatError(
                f"{self.path.name} is damaged or cut short ({_one_line(error)}); copy or download it again"
            ) from error
        except OSError as error:
            raise FileFormatError(f"{self.path.name} cannot be read ({_one_line(error)}); check the disk") from error

    def _cut_short(self, needed: int, found: str) -> FileFormatError:
        return FileFormatError(
            f"{self.path.name} is cut short or has a wrong header: the header announces {needed:,} bytes and {found}; "
            "copy or download it again"
        )


def require_own_values(path: Path, endings: tuple[str, ...]) -> None:
    """Refuse a file without a header of its own that is a link to a file of another kind.

    Any file whatever would be read as values; a link may come with an archive that somebody else packed. Links to files
    of the same kind are how some databases keep their images, and pass.

    Raises
    ------
    FileFormatError
        If it is one.
    """
    if not path.is_symlink():
        return
    if not path.resolve().name.lower().endswith(endings):
        raise FileFormatError(
            f"{path.name} is a link to a file of another kind, whose bytes are not an image; copy the image itself "
            "beside its header"
        )


def _one_line(error: BaseException) -> str:
    """Say what went wrong without the path that the system adds."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(reason.split()).rstrip(".") or type(error).__name__
