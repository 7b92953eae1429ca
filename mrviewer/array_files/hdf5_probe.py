"""Program that reads of an HDF5 file what a reader of k-space reads, and dies of it or does not.

    python -P hdf5_probe.py FILE

A name, an attribute or a text of variable length lies somewhere else in the file, and the library follows where a
damaged file points. What Python can tell of is nothing to this program: only whether it lives. A file that takes its
values from other files is not read at all: who opens it says so.
"""

import sys
import time
from contextlib import suppress
from pathlib import Path

import h5py

__all__ = ["elsewhere", "main"]

SECONDS = 2.0
"""How long one file is read; a large one is tried in part."""
LARGEST_ROW = 1 << 29
N_ROWS = 3
_SAME_FILE = "."


def main(path: Path) -> None:
    """Read names, attributes, and values of a file until the time is up."""
    deadline = time.monotonic() + SECONDS

    def visit(_: str, item: h5py.Group | h5py.Dataset) -> bool | None:
        with suppress(Exception):
            dict(item.attrs.items())
        if isinstance(item, h5py.Dataset):
            with suppress(Exception):
                _read_dataset(item, deadline)
        return True if time.monotonic() > deadline else None

    with suppress(Exception), h5py.File(path, "r") as file:
        if elsewhere(file):
            return
        visit("", file)
        file.visititems(visit)


def elsewhere(file: h5py.File) -> str:
    """What in a file lies in another file, without reading any of it; empty if all lies in the file itself.

    Links to other files, datasets that are stored in other files, and virtual ones that show the values of others.
    """

    def visit_link(name: str, link: object) -> str | None:
        if isinstance(link, h5py.SoftLink):
            # It leads to a path in this file, whose own links are looked at too.
            return None
        return None if isinstance(link, h5py.HardLink) else f"the link {name!r} leads to another file"

    def visit_item(name: str, item: h5py.Group | h5py.Dataset) -> str | None:
        if not isinstance(item, h5py.Dataset):
            return None
        is_external = item.id.get_create_plist().get_external_count() > 0
        sources = item.virtual_sources() if item.is_virtual else ()
        if is_external or any(source.file_name != _SAME_FILE for source in sources):
            return f"the values of {name!r} lie in another file"
        return None

    return file.visititems_links(visit_link) or file.visititems(visit_item) or ""


def _read_dataset(dataset: h5py.Dataset, deadline: float) -> None:
    if not dataset.shape:
        dataset[()]
        return
    n_rows = dataset.shape[0]
    if dataset.nbytes // max(1, n_rows) > LARGEST_ROW:
        return
    # What has a variable length is read whole, of other values some: their place is told once for all of them.
    step = 1 if dataset.dtype.hasobject else max(1, n_rows // N_ROWS)
    for row in {n_rows // 2, n_rows - 1, *range(0, n_rows, step)}:
        dataset[row]
        if time.monotonic() > deadline:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
