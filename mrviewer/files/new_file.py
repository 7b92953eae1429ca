"""Files that never take the place of another one, even if two programs write at the same time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mrviewer.files.whole_file import flushed, hidden_name, writing

__all__ = ["claim_name", "new_file"]


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """Give a path to write to, which becomes `path` when the block ends without an error.

    Like `mrviewer.files.whole_file.whole_file`, but an existing file is left as it is.

    Raises
    ------
    FileExistsError
        If there is a file of that name by then; nothing is left of the new one.
    WriteError
        If the disk is full, the name too long, or nothing may be written there.
    """
    path = Path(path)
    temporary = hidden_name(path)
    with writing(path, temporary), flushed(temporary, path, claim_name):
        yield temporary


def claim_name(source: Path, path: Path) -> None:
    """Rename a file unless the new name is taken, in one step that no other program can come between.

    Raises
    ------
    FileExistsError
        If the name is taken; `source` stays.
    """
    try:
        os.link(source, path)
    except FileExistsError:
        raise
    except OSError:
        # File systems without hard links (FAT, some network drives): an empty file takes the name first.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        source.replace(path)
    else:
        source.unlink()
