"""Codes of the outlines over a tile: classes by name, or agreement with the reference labels. No Qt."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mrviewer.method import Card
from mrviewer_napari.facts.colours import PLAIN, agreement, class_code
from mrviewer_napari.facts.method_facts import segments

__all__ = ["class_codes", "contour_codes", "names_of", "outline"]


def names_of(card: Card) -> tuple[str, ...]:
    """Names of the segmentation classes 1, 2, ... of a method."""
    return card.classes if segments(card) else ()


def class_codes(segmentation: NDArray[np.uint8], names: Sequence[str], all_names: Sequence[str]) -> NDArray[np.uint8]:
    """Codes of the classes of a segmentation; a name has the same code for every method."""
    table = np.zeros(256, np.uint8)
    for value in range(1, 256):
        name = names[value - 1] if value <= len(names) else ""
        table[value] = class_code(all_names.index(name) if name in all_names else value - 1)
    return table[segmentation]


def contour_codes(segmentation: NDArray[np.uint8], labels: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """Agreement with the labels, or plain outlines where nobody drew any."""
    return outline(segmentation > 0) if labels is None else agreement(segmentation, labels)


def outline(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Codes of outlines that agree or disagree with nothing."""
    return mask.view(np.uint8) * np.uint8(PLAIN)
