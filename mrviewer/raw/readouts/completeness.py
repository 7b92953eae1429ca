"""Whether a scan holds all that its header announces: a file that was cut short looks like one acquired with gaps."""

import numpy as np

from mrviewer.raw.readouts.ismrmrd_header import Encoding
from mrviewer.raw.readouts.readouts import IntArray, ReadoutTable

__all__ = ["shortfalls"]


def shortfalls(table: ReadoutTable, rows: IntArray, encoding: Encoding) -> list[str]:
    """Sentences on what is missing at the end of a scan.

    Parameters
    ----------
    table, rows
        All readouts of a file, and those of the images of one encoding.
    encoding
        What the header announces.
    """
    counts = (("phase encoding steps", table.step_1), ("partitions", table.step_2), ("slices", table.slice_))
    said = [
        f"the header announces {announced + 1} {what} and the readouts end at number {int(numbers[rows].max()) + 1}"
        for (what, numbers), announced in zip(counts, encoding.last, strict=True)
        if announced is not None and _ends_early(numbers[rows], announced)
    ]
    keys = np.concatenate([table.image_keys(rows), table.slice_[rows][:, None]], axis=1)
    places = np.unique(np.column_stack([keys, table.step_2[rows], table.step_1[rows]]), axis=0)
    _, lines = np.unique(places[:, : keys.shape[1]], axis=0, return_counts=True)
    if lines.min() < lines.max():
        n_short = int(np.count_nonzero(lines < lines.max()))
        said.append(
            f"{n_short} of {len(lines)} slices hold fewer readouts than others ({lines.min()} of {lines.max()})"
        )
    return [f"{one}: the file seems to be cut short, or the scan was stopped early" for one in said]


def _ends_early(numbers: IntArray, announced: int) -> bool:
    """Whether the last number is missing by more than the gap that undersampling leaves."""
    present = np.unique(numbers)
    gap = int(np.diff(present).max()) if len(present) > 1 else 1
    return announced - int(present[-1]) > gap - 1
