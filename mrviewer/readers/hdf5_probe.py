"""Program that reads of an HDF5 file what a reader of k-space reads, and dies of it or does not.

    python -P hdf5_probe.py FILE

A name, an attribute or a text of variable length lies somewhere else in the file, and the library follows where a
damaged file points. What Python can tell of is nothing to this program: only whether it lives.
"""

import sys
import time
from contextlib import suppress
from pathlib import Path

import h5py

__all__ = ["main"]

SECONDS = 2.0
"""How long one file is read; a large one is tried in part."""
LARGEST_ROW = 1 << 29
N_ROWS = 3


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
        visit("", file)
        file.visititems(visit)


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
