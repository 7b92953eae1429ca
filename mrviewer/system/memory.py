"""How much memory there is, for this process and now."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import psutil

from mrviewer.errors import InputError

__all__ = ["available_bytes", "require_memory", "total_bytes"]

_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")
_NEW = ("memory.max", "memory.current", "inactive_file")
_OLD = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
"""Files of a control group, in its second and first version: limit, use, and what of it is only a copy of files."""


def total_bytes() -> int:
    """Memory that this process could ever have: that of the machine, or what its control group or `ulimit` allows."""
    limits = [limit for limit, _ in _group_limits()]
    return min([int(psutil.virtual_memory().total), *limits, *_address_limits(0)])


def available_bytes() -> int:
    """Memory that this process can take now without any other one, or itself, being ended for it."""
    free = [max(limit - used, 0) for limit, used in _group_limits()]
    return min([int(psutil.virtual_memory().available), *free, *_address_limits(psutil.Process().memory_info().vms)])


def require_memory(needed: int, what: str, advice: str) -> None:
    """Refuse what does not fit into the memory that is free, before any is taken.

    Parameters
    ----------
    needed
        Bytes, estimated.
    what
        Needs them; begins the sentence.
    advice
        What to do instead; ends it.

    Raises
    ------
    InputError
        If it does not fit.
    """
    free = available_bytes()
    if needed > free:
        raise InputError(
            f"{what} needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; close other "
            f"programs, or {advice}"
        )


def _group_limits() -> Iterator[tuple[int, int]]:
    """Limit and use of each control group above this process; none outside of Linux and of containers."""
    try:
        lines = _GROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        mount, names = (_MOUNT / "memory", _OLD) if controllers else (_MOUNT, _NEW)
        place = PurePosixPath(path)
        for group in dict.fromkeys((place, *place.parents)):
            facts = _limit_of(mount / str(group).lstrip("/"), names)
            if facts is not None:
                yield facts


def _limit_of(folder: Path, names: tuple[str, str, str]) -> tuple[int, int] | None:
    limit, use, of_files = names
    try:
        allowed = int((folder / limit).read_text(encoding="utf-8"))
        used = int((folder / use).read_text(encoding="utf-8"))
        stat = [line.split() for line in (folder / "memory.stat").read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, IndexError):
        # No such group here, or one without a limit ("max").
        return None
    return allowed, used - sum(int(value) for name, value in stat if name == of_files)


def _address_limits(used: int) -> list[int]:
    """What `ulimit -v` leaves."""
    if sys.platform == "win32" or os.name != "posix":
        return []
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return [] if limit == resource.RLIM_INFINITY else [max(limit - used, 0)]
