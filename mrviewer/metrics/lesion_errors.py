"""How wrong an image is inside each lesion."""

from dataclasses import replace

import numpy as np

from mrviewer.metrics.lesions import LesionTable
from mrviewer.metrics.quality import error_map
from mrviewer.sliced import SlicedVolume, Volume, block_of

__all__ = ["with_local_errors"]


def with_local_errors(table: LesionTable, image: Volume, reference: Volume) -> LesionTable:
    """Return the table with the mean absolute error of an image inside each lesion; a false one where it was predicted.

    Parameters
    ----------
    table
        The lesions.
    image, reference : (z, y, x)
        Magnitudes on the grid of the table.

    Returns
    -------
    LesionTable
        Errors in % of the brightest reference value; `None` where that is not positive, or an image holds a NaN.
    """
    if not table.rows:
        return table
    axis = next((one.axis for one in (reference, image) if isinstance(one, SlicedVolume)), 0)
    n_numbers = max(row.id for row in table.rows) + 1
    sums, counts, brightest = np.zeros(n_numbers), np.zeros(n_numbers, np.intp), 0.0
    for index in range(reference.shape[axis]):
        truth = block_of(reference, axis, index, index + 1)[0]
        brightest = max(brightest, float(np.nan_to_num(np.abs(truth), nan=0.0).max(initial=0)))
        known, guessed = (
            np.moveaxis(components, axis, 0)[index]
            for components in (table.reference_components, table.predicted_components)
        )
        numbers = np.where((known == 0) & (guessed > table.n_reference), guessed, known)
        inside = numbers > 0
        if inside.any():
            errors = error_map(block_of(image, axis, index, index + 1)[0][inside], truth[inside], signed=False)
            sums += np.bincount(numbers[inside], errors, n_numbers)
            counts += np.bincount(numbers[inside], minlength=n_numbers)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        percent = 100 * sums / counts / brightest
    rows = (
        replace(row, error_percent=float(percent[row.id]) if np.isfinite(percent[row.id]) else None)
        for row in table.rows
    )
    return replace(table, rows=tuple(rows))
