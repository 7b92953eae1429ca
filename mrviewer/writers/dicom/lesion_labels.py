"""From a segmentation to a label a lesion, as exports want it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mrviewer.images.labels import labels_on_grid
from mrviewer.metrics.components import find_components
from mrviewer.metrics.lesions import Lesion, lesion_table
from mrviewer.study import Image

__all__ = ["LabelledLesions", "label_lesions"]


@dataclass(frozen=True, eq=False)
class LabelledLesions:
    """A label a lesion, and what is known of each.

    Parameters
    ----------
    image
        Label volume; 0 is background.
    rows
        Rows of the lesion table whose ids are the labels; empty without a reference.
    notes
        What was done to the labels.
    """

    image: Image
    rows: Sequence[Lesion] = ()
    notes: tuple[str, ...] = ()


def label_lesions(segmentation: Image, reference: Image | None = None, min_lesion_ml: float = 0.0) -> LabelledLesions:
    """Give every lesion a label of its own.

    With a reference, the numbers are those of the lesion table: a segment has the number of the reference lesion that
    it overlaps most, or one of its own if it touches none. Without one, several label values are kept as they are, and
    a mask of a single value is split into its 26-connected components, numbered from the largest.

    Parameters
    ----------
    segmentation : (z, y, x)
        A mask, or whole numbers.
    reference : (z, y, x)
        Segmentation held to be true; on another grid it is resampled to the nearest voxels.
    min_lesion_ml
        Smaller components are left out; labels that are kept as they are stay.

    Raises
    ------
    FileFormatError
        If the values cannot be labels.
    ShapeError
        If the two lie nowhere together.
    """
    labels, note = labels_on_grid(segmentation, segmentation.geometry)
    values = labels.volume()
    if reference is not None:
        truth, remark = labels_on_grid(reference, segmentation.geometry)
        table = lesion_table(truth.volume(), values, segmentation.geometry, min_lesion_ml)
        image = replace(labels, data=table.predicted_components)
        return LabelledLesions(image, table.rows, tuple(one for one in (note, remark) if one))
    notes = (note,) if note else ()
    if np.unique(values[np.greater(values, 0)]).size > 1:
        return LabelledLesions(labels, notes=notes)
    found = find_components(np.greater(values, 0), min_lesion_ml / labels.geometry.voxel_volume_ml * (1 - 1e-9))
    split = np.zeros(values.shape, np.int32)
    split[tuple(found.voxels)] = found.ids
    return LabelledLesions(replace(labels, data=split), notes=notes)
