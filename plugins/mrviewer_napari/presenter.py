"""What the tiles show: brings scans, slices, volumes, steps and words to the tile grid."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mrviewer.method import Card, Method, Task
from mrviewer.metrics.quality import error_map
from mrviewer.reconstruction.reconstruct import SliceResult, lesions_of
from mrviewer_napari.computing.computation import Computation
from mrviewer_napari.computing.outcomes import Outcome, SliceAnswer
from mrviewer_napari.facts.method_facts import segments
from mrviewer_napari.facts.outline_codes import class_codes, contour_codes, names_of, outline
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.facts.study_facts import origin_note
from mrviewer_napari.facts.tile_key import REFERENCE, TileKey, TileKind
from mrviewer_napari.facts.tile_texts import (
    MISSING,
    OUTSIDE,
    has_error_map,
    mask_text,
    step_note,
    tile_specs,
    tile_text,
)
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.tiles.tile_grid import TileGrid

__all__ = ["Presenter"]


class Presenter:
    """Shows a scan and what methods gave of it in linked tiles.

    Volumes are handed over as they are: the grid copies one before it first writes a slice into it.

    Parameters
    ----------
    grid
        The tiles.
    state
        How they are to be shown.
    computation
        Knows what there is to show.
    """

    def __init__(self, grid: TileGrid, state: PanelState, computation: Computation) -> None:
        self._grid, self._state, self._computation = grid, state, computation
        self._scan: Scan | None = None
        self._cards: dict[str, Card] = {}
        self._stepped: dict[str, int] = {}
        self.cautioned = frozenset[str]()
        """Methods whose tiles say that the image is unlike those of their cards."""
        changes = state.events
        for changed in (changes.error_gain, changes.signed_errors, changes.all_classes):
            changed.connect(self.show_all)
        changes.contours.connect(grid.show_contours)
        changes.plane.connect(grid.show_plane)
        changes.radiological.connect(grid.set_radiological)

    def arrange(self, scan: Scan, methods: Sequence[Method]) -> None:
        """Have a tile for each method; what is known comes with `show_all`."""
        fresh_scan = scan is not self._scan
        kept = set[str]() if fresh_scan else set(self._cards)
        self._scan, self._cards = scan, {method.card.name: method.card for method in methods}
        self._stepped = {name: index for name, index in self._stepped.items() if name in self._cards}
        cards = tuple(self._cards.values())
        outlined = scan.labels is not None or any(segments(card) for card in cards)
        self._grid.arrange(scan.geometry, tile_specs(scan, cards), slice_axis=scan.slice_axis, outlined=outlined)
        if fresh_scan:
            self._show_reference(scan)
        for card in cards:
            if card.name not in kept:
                self._clear(card, scan)
        self._show_error_scale(scan)
        self._show_legend()

    def show_all(self) -> None:
        """Show all that is known of every method, as it is to be shown now."""
        if self._scan is None:
            return
        self._show_error_scale(self._scan)
        self._show_legend()
        for name, card in self._cards.items():
            if (outcome := self._computation.outcome(name)) is not None:
                self._show_volume(card, self._scan, outcome)
            else:
                for result in self._computation.slices_of(name):
                    self._put_slice(card, self._scan, result)
        self._stepped.clear()
        self.show_slice()

    def show_slice(self) -> None:
        """Bring the shown slice of every method up to date: its result, or the step that is selected."""
        scan = self._scan
        if scan is None:
            return
        index = self._grid.current_slice()
        self._write_reference(scan, index)
        for name, card in self._cards.items():
            self._put_back(card, scan, index)
            step = self._selected_step(name, index)
            result = self._computation.slice_of(name, index)
            if step is not None:
                self._stepped[name] = index
                self._put_slice(card, scan, step)
            elif result is not None and (self._computation.outcome(name) is None or name in self._stepped):
                self._put_slice(card, scan, result)
                self._stepped.pop(name, None)
            self._write(card, scan, result if step is None else step, stepped=step is not None)

    def show_answer(self, answer: SliceAnswer) -> None:
        """Show one slice that has come."""
        card = self._cards.get(answer.request.method)
        if card is None or self._scan is None:
            return
        self._put_slice(card, self._scan, answer.result)
        if answer.result.index == self._grid.current_slice():
            self._write(card, self._scan, answer.result)

    def show_outcome(self, outcome: Outcome) -> None:
        """Show a volume that is finished."""
        card = self._cards.get(outcome.request.method)
        if card is not None and self._scan is not None:
            self._show_volume(card, self._scan, outcome)
            self.show_slice()

    # The reference and what all tiles share --------------------------------------------------------------------------

    def _show_reference(self, scan: Scan) -> None:
        """Show the fully sampled volume with the reference outlines."""
        if scan.reference is not None:
            self._grid.set_volume(REFERENCE, scan.reference, limits=scan.window)
            self._grid.set_contours(REFERENCE, None if scan.labels is None else outline(scan.labels))
            self._write_reference(scan, self._grid.current_slice())

    def _write_reference(self, scan: Scan, index: int) -> None:
        """Write over the reference where its k-space comes from, or that the files lack this slice."""
        if scan.reference is not None:
            note = MISSING if scan.is_missing(index) else origin_note(scan.raw.origin)
            self._grid.set_text(REFERENCE, f"Reference\n{note}".rstrip())

    def _show_error_scale(self, scan: Scan) -> None:
        """Put all error maps on the selected scale."""
        self._grid.set_signed_errors(self._state.signed_errors)
        self._grid.set_error_limit(scan.data_range)
        self._grid.error_gain = self._state.error_gain

    def _show_legend(self) -> None:
        """Draw outlines if they are asked for, and say what they mean."""
        self._grid.set_classes(self._classes if self._state.all_classes else ())
        self._grid.show_contours(self._state.contours)

    # One method ------------------------------------------------------------------------------------------------------

    def _clear(self, card: Card, scan: Scan) -> None:
        """Show nothing of a method yet: a segmenting one lies over the reference."""
        self._grid.set_text(card.name, card.name)
        if Task.RECONSTRUCT not in card.tasks and scan.reference is not None:
            self._grid.set_volume(card.name, scan.reference, limits=scan.window)
        else:
            self._grid.set_empty(card.name, limits=scan.window)
        if has_error_map(card, scan):
            self._grid.set_empty(TileKey(card.name, TileKind.ERROR))
        outlines = np.zeros(scan.geometry.shape, np.uint8) if segments(card) else None
        self._grid.set_contours(card.name, outlines, plain=scan.labels is None)

    def _put_slice(self, card: Card, scan: Scan, result: SliceResult) -> None:
        """Show one slice that a method gave."""
        if result.image is not None:
            self._grid.set_slice(card.name, result.index, result.image)
        if result.image is not None and scan.reference is not None and has_error_map(card, scan):
            reference = scan.plane(scan.reference, result.index)
            error = error_map(result.image, reference, signed=self._state.signed_errors)
            self._grid.set_slice(TileKey(card.name, TileKind.ERROR), result.index, error)
        if result.segmentation is not None:
            labels = None if scan.labels is None else scan.plane(scan.labels, result.index)
            self._grid.set_contour_slice(card.name, result.index, self._codes(card, result.segmentation, labels))

    def _show_volume(self, card: Card, scan: Scan, outcome: Outcome) -> None:
        """Show a finished volume."""
        made = outcome.reconstruction
        if made.image is not None:
            self._grid.set_volume(card.name, made.image, limits=scan.window)
        if made.image is not None and scan.reference is not None and has_error_map(card, scan):
            error = error_map(made.image, scan.reference, signed=self._state.signed_errors)
            self._grid.set_volume(TileKey(card.name, TileKind.ERROR), error)
        if made.segmentation is not None:
            self._grid.set_contours(card.name, self._codes(card, made.segmentation, scan.labels))
        self._stepped.pop(card.name, None)

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
        return tuple(dict.fromkeys(name for card in self._cards.values() for name in names_of(card)))

    # Steps in the place of a slice -----------------------------------------------------------------------------------

    def _put_back(self, card: Card, scan: Scan, shown: int) -> None:
        """Put the result back into a slice that was left while it showed a step."""
        index = self._stepped.get(card.name, shown)
        if index != shown:
            if (result := self._computation.slice_of(card.name, index)) is not None:
                self._put_slice(card, scan, result)
            del self._stepped[card.name]

    def _selected_step(self, name: str, index: int) -> SliceResult | None:
        step = self._state.step
        return None if step is None or step.method != name else self._computation.step_of(name, index, step.number)

    def _write(self, card: Card, scan: Scan, result: SliceResult | None, *, stepped: bool = False) -> None:
        """Write title and quality of the shown slice over a method's tile, and that a step is not the result."""
        target = self._computation.target
        if target is None:
            return
        step = self._state.step
        note = step_note(self._computation.step_names(card.name), step.number) if stepped and step is not None else ""
        text = tile_text(card, scan, result, mask_text(target.mask), note)
        self._grid.set_text(card.name, f"{text}\n{OUTSIDE}" if card.name in self.cautioned else text)
