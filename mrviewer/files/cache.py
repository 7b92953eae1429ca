"""What is kept on disk to save time: prepared training data and simulated patients. It can go at any time.

Prepared data hold the pixels of patients. Their files are called after a fingerprint, and those that nobody has used
for a month, or that are too much together, are removed when the next training prepares its own.
"""

import os
import re
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import psutil

__all__ = [
    "MOST_BYTES",
    "MOST_DAYS",
    "CacheFacts",
    "cache_facts",
    "cache_folder",
    "clear_cache",
    "prepared_path",
    "prune_prepared",
]

MOST_BYTES = 50_000_000_000
MOST_DAYS = 30.0

_TRAINING, _USERS = "training", "in-use"
_OURS = re.compile(r"[0-9a-f]{32}\.safetensors")
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class CacheFacts:
    """What the cache holds.

    Parameters
    ----------
    folder
        Where it lies.
    n_files, n_bytes
        In all.
    n_in_use
        Files that a training on this machine reads.
    """

    folder: Path
    n_files: int
    n_bytes: int
    n_in_use: int


def cache_folder() -> Path:
    """Folder of the cache; may not exist."""
    return Path(platformdirs.user_cache_dir("mrviewer"))


def prepared_path(fingerprint: str) -> Path:
    """File of prepared data; it counts as used now, and by this process until that ends.

    Parameters
    ----------
    fingerprint
        At least 32 hexadecimal digits that depend on everything the data depend on, and tell nothing of it.
    """
    path = cache_folder() / _TRAINING / f"{fingerprint[:32]}.safetensors"
    with suppress(OSError):
        users = cache_folder() / _USERS
        users.mkdir(parents=True, exist_ok=True)
        with (users / f"{socket.gethostname()}-{os.getpid()}").open("a", encoding="utf-8") as file:
            file.write(f"{path.name}\n")
        if path.is_file():
            # When it was used, and not when it was made.
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
    return path


def prune_prepared(most_bytes: int = MOST_BYTES, most_days: float = MOST_DAYS) -> int:
    """Remove prepared data that are old, too much, or of a version that named its files after subjects.

    Parameters
    ----------
    most_bytes
        Of all together; what was used last stays longest.
    most_days
        Since a file was last used.

    Returns
    -------
    How many files were removed; never one that a training of this machine uses.
    """
    folder = cache_folder() / _TRAINING
    used = _in_use()
    files = sorted(_files(folder), key=lambda path: -_seconds_of(path))
    removed = total = 0
    for path in files:
        total += _size_of(path)
        # Whatever the clock says, a file of the future is not older than today.
        days = (time.time() - _seconds_of(path)) / _DAY_SECONDS
        is_wanted = _OURS.fullmatch(path.name) and total <= most_bytes and days <= most_days
        if not is_wanted and path.name not in used:
            total -= _size_of(path)
            removed += _removed(path)
    return removed


def cache_facts() -> CacheFacts:
    """Look at the whole cache."""
    files = list(_files(cache_folder()))
    used = _in_use()
    return CacheFacts(cache_folder(), len(files), sum(map(_size_of, files)), sum(path.name in used for path in files))


def clear_cache() -> int:
    """Remove everything that no training of this machine uses; how many files that were."""
    used = _in_use()
    return sum(_removed(path) for path in _files(cache_folder()) if path.name not in used)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and path.parent.name != _USERS:
            yield path


def _in_use() -> Collection[str]:
    """Names of files that living processes use; what ended ones left behind goes."""
    names: set[str] = set()
    for path in sorted((cache_folder() / _USERS).glob("*")):
        host, _, pid = path.name.rpartition("-")
        if host == socket.gethostname() and pid.isdigit() and not psutil.pid_exists(int(pid)):
            _removed(path)
            continue
        if host != socket.gethostname() and (time.time() - _seconds_of(path)) / _DAY_SECONDS > MOST_DAYS:
            _removed(path)
            continue
        with suppress(OSError, UnicodeDecodeError):
            names |= set(path.read_text(encoding="utf-8").split())
    return names


def _seconds_of(path: Path) -> float:
    """When a file was last used, or made."""
    try:
        return max(path.stat().st_atime, path.stat().st_mtime)
    except OSError:
        return 0.0


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
