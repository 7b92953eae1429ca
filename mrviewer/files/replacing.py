"""Files of one folder take the place of those in another one, all or none."""

import os
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from mrviewer.files.exchange import exchange

__all__ = ["replace_files"]

_ASIDE = ".earlier"
_MOST_LINKS = 256


def replace_files(partial: Path, folder: Path, names: Sequence[str]) -> None:
    """Move files into a folder; what is not among `names` stays there as it is.

    Parameters
    ----------
    partial
        Holds the new files, on the same file system.
    folder
        Where they belong.
    names
        All that may be moved; of an earlier one there is no new one, it goes. The last name goes first and comes last.

    Raises
    ------
    OSError
        If that cannot be done; the files in `folder` are as they were.
    """
    if _can_be_swapped(folder, names) and _swap(partial, folder, names):
        return
    aside = partial / _ASIDE
    aside.mkdir()
    moves = [(folder / name, aside / name) for name in (names[-1], *names[:-1]) if os.path.lexists(folder / name)]
    moves += [(partial / name, folder / name) for name in names if (partial / name).exists()]
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            source.replace(target)
            done.append((source, target))
    except BaseException:
        for source, target in reversed(done):
            target.replace(source)
        raise


def _can_be_swapped(folder: Path, names: Sequence[str]) -> bool:
    """Whether a copy of a folder, of links to its other files, is as good as the folder itself."""
    if folder in (Path.cwd(), *Path.cwd().parents) or folder.is_mount():
        return False
    others = [entry for entry in os.scandir(folder) if entry.name not in names]
    return len(others) <= _MOST_LINKS and all(entry.is_file(follow_symlinks=False) for entry in others)


def _swap(partial: Path, folder: Path, names: Collection[str]) -> bool:
    """Make the new folder what the old one is but for `names`, and swap the two; whether that was possible."""
    linked = []
    try:
        for entry in os.scandir(folder):
            if entry.name not in names:
                os.link(entry.path, partial / entry.name, follow_symlinks=False)
                linked.append(partial / entry.name)
        _give_rights(folder, partial)
        if exchange(partial, folder):
            _fetch_late(partial, folder, names)
            return True
    except (OSError, NotImplementedError):
        # No links, or the folder is somebody else's.
        pass
    for path in linked:
        path.unlink()
    return False


def _give_rights(source: Path, target: Path) -> None:
    if sys.platform != "win32":
        facts = source.stat()
        os.chown(target, facts.st_uid, facts.st_gid)
    shutil.copystat(source, target)


def _fetch_late(old: Path, new: Path, names: Collection[str]) -> None:
    """Bring over what another program wrote between the links and the swap."""
    for entry in os.scandir(old):
        there = new / entry.name
        if entry.name not in names and not (there.exists() and there.samefile(entry.path)):
            Path(entry.path).replace(there)
