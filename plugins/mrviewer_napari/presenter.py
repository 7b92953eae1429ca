"""Brings what is known of the wished methods to the tiles: slices, volumes, and steps in the place of a slice."""

from collections.abc import Sequence

from mrviewer.method import Card, Method
from mrviewer.reconstruction.reconstruct import SliceResult
from mrviewer_napari.computing.computation import Computation
from mrviewer_napari.computing.outcomes import Outcome, SliceAnswer
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.facts.tile_texts import mask_text, step_note
from mrviewer_napari.panel_state import PanelState
from mrviewer_napari.tiles.picture import Picture
from mrviewer_napari.tiles.tile_grid import TileGrid

__all__ = ["Presenter"]


class Presenter:
    """Shows methods in tiles.

    Parameters
    ----------
    grid
        The tiles.
    state
        What is wished of them.
    computation
        Knows what there is to show.
    """

    def __init__(self, grid: TileGrid, state: PanelState, computation: Computation) -> None:
        self._grid, self._state, self._computation = grid, state, computation
        self._picture = Picture(grid, state)
        self._cards: dict[str, Card] = {}
        self._stepped: dict[str, int] = {}
        wishes = state.events
        for changed in (wishes.error_gain, wishes.signed_errors, wishes.all_classes):
            changed.connect(self.show_all)
        wishes.contours.connect(grid.show_contours)
        wishes.plane.connect(grid.show_plane)
        wishes.radiological.connect(grid.set_radiological)

    def arrange(self, scan: Scan, methods: Sequence[Method]) -> None:
        """Have a tile for each method; what is known comes with `show_all`."""
        self._cards = {method.card.name: method.card for method in methods}
        self._stepped = {name: index for name, index in self._stepped.items() if name in self._cards}
        self._picture.arrange(scan, tuple(self._cards.values()))

    def show_all(self) -> None:
        """Show all that is known of every method, as it is wished now."""
        self._picture.show_error_scale()
        self._picture.show_legend()
        for name, card in self._cards.items():
            if (outcome := self._computation.outcome(name)) is not None:
                self._show_volume(card, outcome)
            else:
                for result in self._computation.slices_of(name):
                    self._picture.show_slice(card, result)
        self._stepped.clear()
        self.show_slice()

    def show_slice(self) -> None:
        """Bring the shown slice of every method up to date: its result, or the step that is wished."""
        index = self._grid.current_slice()
        self._picture.write_reference(index)
        for name, card in self._cards.items():
            self._put_back(card, index)
            step = self._wished_step(name, index)
            result = self._computation.slice_of(name, index)
            if step is not None:
                self._stepped[name] = index
                self._picture.show_slice(card, step)
            elif result is not None and (self._computation.outcome(name) is None or name in self._stepped):
                self._picture.show_slice(card, result)
                self._stepped.pop(name, None)
            self._write(card, result if step is None else step, stepped=step is not None)

    def show_answer(self, answer: SliceAnswer) -> None:
        """Show one slice that has come."""
        card = self._cards.get(answer.request.method)
        if card is None:
            return
        self._picture.show_slice(card, answer.result)
        if answer.result.index == self._grid.current_slice():
            self._write(card, answer.result)

    def show_outcome(self, outcome: Outcome) -> None:
        """Show a volume that is finished."""
        if (card := self._cards.get(outcome.request.method)) is not None:
            self._show_volume(card, outcome)
            self.show_slice()

    def _show_volume(self, card: Card, outcome: Outcome) -> None:
        self._picture.show_volume(card, outcome)
        self._stepped.pop(card.name, None)

    def _put_back(self, card: Card, shown: int) -> None:
        """Put the result back into a slice that was left while it showed a step."""
        index = self._stepped.get(card.name, shown)
        if index != shown:
            if (result := self._computation.slice_of(card.name, index)) is not None:
                self._picture.show_slice(card, result)
            del self._stepped[card.name]

    def _wished_step(self, name: str, index: int) -> SliceResult | None:
        wish = self._state.step
        return None if wish is None or wish.method != name else self._computation.step_of(name, index, wish.number)

    def _write(self, card: Card, result: SliceResult | None, *, stepped: bool = False) -> None:
        target = self._computation.target
        if target is None:
            return
        wish = self._state.step
        note = step_note(self._computation.step_names(card.name), wish.number) if stepped and wish is not None else ""
        self._picture.write(card, result, mask_text(target.mask), note)
