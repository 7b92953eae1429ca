"""Where the bytes of one DICOM file lie: on the disk, or packed in a zip."""

import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mrviewer.errors import FileFormatError

__all__ = ["MOST_PACKED_BYTES", "StoredFile", "is_zip", "packed_files"]

MOST_PACKED_BYTES = 1 << 30
"""Largest file inside a zip that is unpacked."""
MOST_PACKED_FILES = 100_000
ZIP_MAGIC, EMPTY_ZIP_MAGIC = b"PK\x03\x04", b"PK\x05\x06"
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True, order=True)
class StoredFile:
    """One file.

    Parameters
    ----------
    path
        The file, or the zip that holds it.
    member
        Its name inside the zip; empty if it lies on the disk. Nothing is ever unpacked to the disk, so that a name can
        lead nowhere.
    """

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """Name without folders."""
        return (self.member or self.path.name).replace("\\", "/").rpartition("/")[2]

    @property
    def place(self) -> Path:
        """Path of the file; of one in a zip, as if that were a folder."""
        return self.path / self.member if self.member else self.path

    @property
    def size(self) -> int:
        """Bytes of its content, as the file system or the zip states them."""
        return self._member().file_size if self.member else self.path.stat().st_size

    def read(self, start: int = 0, count: int = -1) -> bytes:
        """Return `count` bytes from `start` on, fewer if the file ends; all of them if `count` is negative.

        Raises
        ------
        FileFormatError
            If it cannot be read, or would unpack to more than `MOST_PACKED_BYTES`.
        """
        try:
            if not self.member:
                with self.path.open("rb") as file:
                    file.seek(start)
                    return file.read(count)
            if self._member().file_size > MOST_PACKED_BYTES:
                raise FileFormatError(
                    f"{self.name} in {self.path.name} would unpack to more than "
                    f"{MOST_PACKED_BYTES >> 30} GiB; unpack it by hand"
                )
            with _archive(self.path, self.path.stat().st_mtime_ns).open(self.member) as file:
                file.seek(start)
                return file.read(count)
        except OSError as error:
            raise FileFormatError(f"{self.name} cannot be read ({error.strerror or 'disk error'})") from error
        except FileFormatError:
            raise
        except _DAMAGED as error:
            raise FileFormatError(
                f"{self.path.name} is a damaged or encrypted zip, {self.name} in it cannot be read; unpack it by hand"
            ) from error

    def _member(self) -> zipfile.ZipInfo:
        try:
            return _archive(self.path, self.path.stat().st_mtime_ns).getinfo(self.member)
        except KeyError as error:
            raise FileFormatError(f"{self.path.name} has changed: it no longer holds {self.name}") from error


def is_zip(path: Path) -> bool:
    """Whether the first bytes of a file are those of a zip."""
    with path.open("rb") as file:
        return file.read(len(ZIP_MAGIC)) in (ZIP_MAGIC, EMPTY_ZIP_MAGIC)


def packed_files(path: Path) -> list[StoredFile]:
    """Files inside a zip; nothing is unpacked.

    Raises
    ------
    FileFormatError
        If the zip is damaged, or holds more files than a study has.
    """
    try:
        members = [info for info in _archive(path, path.stat().st_mtime_ns).infolist() if not info.is_dir()]
    except OSError as error:
        raise FileFormatError(f"{path.name} cannot be read ({error.strerror or 'disk error'})") from error
    except _DAMAGED as error:
        raise FileFormatError(f"{path.name} is damaged or cut short: it is no whole zip; copy it again") from error
    if len(members) > MOST_PACKED_FILES:
        raise FileFormatError(f"{path.name} holds {len(members):,} files, more than a study has; unpack it by hand")
    return [StoredFile(path, info.filename) for info in members]


@lru_cache(maxsize=2)
def _archive(path: Path, changed_ns: int) -> zipfile.ZipFile:
    """Keep the list of members, which is asked for with each file; a changed file is another archive."""
    return zipfile.ZipFile(path)
