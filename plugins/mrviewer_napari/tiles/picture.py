"""What the tiles show: pushes scans, slices, outcomes and words into the tile grid. No Qt."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mrviewer.method import Card, Task
from mrviewer.metrics.quality import error_map
from mrviewer.reconstruction.reconstruct import SliceResult, lesions_of
from mrviewer_napari.computing.outcomes import Outcome
from mrviewer_napari.facts.colours import PLAIN, agreement, class_code
from mrviewer_napari.facts.method_facts import segments
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.facts.tile_texts import MISSING, REFERENCE, has_error_map, origin_note, tile_specs, tile_text
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.tiles.tile_grid import TileGrid, TileKey, TileKind

__all__ = ["Picture"]


class Picture:
    """The linked tiles of one scan and its methods.

    Volumes are handed over as they are: the grid copies one before it first writes a slice into it.
    """

    def __init__(self, grid: TileGrid, state: PanelState) -> None:
        self._grid, self._state = grid, state
        self._scan: Scan | None = None
        self._cards: tuple[Card, ...] = ()

    def arrange(self, scan: Scan, cards: Sequence[Card]) -> None:
        """Show a scan and these methods; what methods gave comes with `show_slice` and `show_volume`."""
        fresh_scan = scan is not self._scan
        kept = set() if fresh_scan else {card.name for card in self._cards}
        self._scan, self._cards = scan, tuple(cards)
        self._grid.arrange(scan.geometry, tile_specs(scan, cards), slice_axis=scan.slice_axis)
        if fresh_scan:
            self.show_reference()
        for card in cards:
            if card.name not in kept:
                self._clear(card)
        self.show_error_scale()
        self.show_legend()

    def show_reference(self) -> None:
        """Show the fully sampled volume with the reference outlines."""
        scan = self._scan
        if scan is None or scan.reference is None:
            return
        self._grid.set_volume(REFERENCE, scan.reference, limits=scan.window)
        self._grid.set_contours(REFERENCE, None if scan.labels is None else outline(scan.labels))
        self.write_reference(self._grid.current_slice())

    def write_reference(self, index: int) -> None:
        """Write over the reference where its k-space comes from, or that the files lack this slice."""
        scan = self._scan
        if scan is not None and scan.reference is not None:
            said = MISSING if scan.is_missing(index) else origin_note(scan.raw.origin)
            self._grid.set_text(REFERENCE, f"Reference\n{said}".rstrip())

    def show_error_scale(self) -> None:
        """Put all error maps on the wished scale."""
        if self._scan is not None:
            self._grid.set_signed_errors(self._state.signed_errors)
            self._grid.set_error_limit(self._scan.data_range)
            self._grid.error_gain = self._state.error_gain

    def show_legend(self) -> None:
        """Draw outlines if they are wished, and say what they mean."""
        self._grid.set_classes(self._classes if self._state.all_classes else ())
        self._grid.show_contours(self._state.contours)

    def show_slice(self, card: Card, result: SliceResult) -> None:
        """Show one slice that a method gave."""
        scan = self._scan
        if scan is None:
            return
        if result.image is not None:
            self._grid.set_slice(card.name, result.index, result.image)
        if result.image is not None and scan.reference is not None and has_error_map(card, scan):
            reference = scan.plane(scan.reference, result.index)
            error = error_map(result.image, reference, signed=self._state.signed_errors)
            self._grid.set_slice(TileKey(card.name, TileKind.ERROR), result.index, error)
        if result.segmentation is not None:
            labels = None if scan.labels is None else scan.plane(scan.labels, result.index)
            self._grid.set_contour_slice(card.name, result.index, self._codes(card, result.segmentation, labels))

    def write(self, card: Card, result: SliceResult | None, mask_text: str, step: str = "") -> None:
        """Write title and quality of the shown slice over a method's tile; `step` says that it is not the result."""
        if self._scan is not None:
            self._grid.set_text(card.name, tile_text(card, self._scan, result, mask_text, step))

    def _clear(self, card: Card) -> None:
        scan = self._scan
        if scan is None:
            return
        self._grid.set_text(card.name, card.name)
        if Task.RECONSTRUCT not in card.tasks and scan.reference is not None:
            self._grid.set_volume(card.name, scan.reference, limits=scan.window)
        else:
            self._grid.set_empty(card.name, limits=scan.window)
        if has_error_map(card, scan):
            self._grid.set_empty(TileKey(card.name, TileKind.ERROR))
        outlines = np.zeros(scan.geometry.shape, np.uint8) if segments(card) else None
        self._grid.set_contours(card.name, outlines, plain=scan.labels is None)

    def show_volume(self, card: Card, outcome: Outcome) -> None:
        """Show a finished volume."""
        scan = self._scan
        if scan is None:
            return
        made = outcome.reconstruction
        if made.image is not None:
            self._grid.set_volume(card.name, made.image, limits=scan.window)
        if made.image is not None and scan.reference is not None and has_error_map(card, scan):
            error = error_map(made.image, scan.reference, signed=self._state.signed_errors)
            self._grid.set_volume(TileKey(card.name, TileKind.ERROR), error)
        if made.segmentation is not None:
            self._grid.set_contours(card.name, self._codes(card, made.segmentation, scan.labels))

    def _codes(
        self, card: Card, segmentation: NDArray[np.uint8], labels: NDArray[np.bool_] | None
    ) -> NDArray[np.uint8]:
        """Every class by its name, or lesions and their agreement with the labels."""
        if self._state.all_classes:
            return class_codes(segmentation, names_of(card), self._classes)
        return contour_codes(lesions_of(segmentation, card.lesion_value), labels)

    @property
    def _classes(self) -> tuple[str, ...]:
        """Names of all classes that may be drawn, each once."""
        return tuple(dict.fromkeys(name for card in self._cards for name in names_of(card)))


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
