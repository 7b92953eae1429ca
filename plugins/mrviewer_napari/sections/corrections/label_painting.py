"""Correcting labels: a copy of a result or of the reference to paint on, saved as a new file."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from mrviewer.progress import Progress, finish
from mrviewer.study import Image, Study
from mrviewer.writers.corrections import save_correction
from mrviewer_napari.computing.outcomes import Outcome
from mrviewer_napari.facts.colours import CLASS_COLOURS, class_colour
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.tiles.napari_layers import label_colours, place, placement
from mrviewer_napari.widgets.jobs import Slot

__all__ = ["N_CLASSES", "Correcting", "Template", "templates"]

N_CLASSES = len(CLASS_COLOURS)
"""Classes that can be told apart by their colours."""

_OPACITY = 0.5


@dataclass(frozen=True, eq=False)
class Template:
    """What a correction begins with.

    Parameters
    ----------
    title
        In words.
    labels : integer, (z, y, x)
        Classes; they are copied before anybody paints.
    source
        What is said of it beside the saved labels.
    """

    title: str
    labels: NDArray[np.integer]
    source: Mapping[str, str]


def templates(scan: Scan, outcomes: tuple[Outcome, ...]) -> tuple[Template, ...]:
    """What there is to correct: the reference labels, each finished segmentation, or nothing at all."""
    found = []
    if scan.study.labels is not None:
        labels = np.asarray(scan.study.labels.volume())
        found.append(Template("the reference labels", labels.astype(np.int32), {"method": "reference"}))
    for outcome in outcomes:
        made = outcome.reconstruction
        if made.segmentation is not None:
            mask = made.mask
            told = {"method": made.method, "mask": mask.name, "acceleration": f"{mask.achieved_acceleration:.4g}"}
            found.append(Template(f"the result of {made.method}", made.segmentation, told))
    empty = np.zeros(scan.geometry.shape, np.uint8)
    return (*found, Template("nothing", empty, {"method": "none"}))


class Correcting(QObject):
    """At most one correction at a time. The original is never touched: people paint on a copy.

    Parameters
    ----------
    viewer
        The napari model.

    Signals
    -------
    changed
        A correction began or ended, or was saved.
    saved : Path
    failed : Exception
    """

    changed = Signal()
    saved = Signal(object)
    failed = Signal(object)

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:  # noqa: ANN401 -- napari is not typed here
        super().__init__(parent)
        self._viewer = viewer
        self.layer: Labels | None = None
        self.scan: Scan | None = None
        self._template: Template | None = None
        self._slot = Slot(self)
        self._slot.returned.connect(self._on_saved)
        self._slot.failed.connect(self.failed)
        self._slot.idle.connect(self.changed)
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def busy(self) -> bool:
        """Whether a correction is being written."""
        return self._slot.busy

    @property
    def is_touched(self) -> bool:
        """Whether somebody painted, and it is not saved."""
        if self.layer is None or self._template is None:
            return False
        return not np.array_equal(self.layer.data, self._template.labels)

    def begin(self, scan: Scan, template: Template) -> None:
        """Lay a copy to paint on over the shown image, in the first tile."""
        self.discard()
        layer = Labels(
            np.array(template.labels, np.uint8),
            name=f"correction of {scan.study.name}",
            colormap=label_colours({number + 1: class_colour(number) for number in range(N_CLASSES)}),
            opacity=_OPACITY,
            **placement(scan.geometry),
        )
        self.layer, self.scan, self._template = layer, scan, template
        self._viewer.layers.append(layer)  # behind all tiles, which napari counts round to the first
        self._viewer.layers.selection.active = layer
        layer.selected_label = 1
        layer.mode = "paint"
        self.changed.emit()

    def follow(self, scan: Scan | None) -> None:
        """Hide the layer while another patient is shown; what was painted stays."""
        if self.layer is not None and self.scan is not None:
            self.layer.visible = (
                scan is not None and scan.geometry.matches(self.scan.geometry) and (scan.patient is self.scan.patient)
            )

    def take_over(self, before: Scan, after: Scan) -> None:
        """Go on painting where the modality or the voxel size of what is painted on was corrected."""
        if self.scan is None or self.scan.patient is not before.patient:
            return
        if after.geometry.shape == self.scan.geometry.shape:
            self.scan = after
            if self.layer is not None:
                place(self.layer, after.geometry)

    def save(self, author: str, folder: Path | None = None, *, wait: bool = False) -> None:
        """Write what was painted beside the study, as a new file; in a thread unless `wait`."""
        if self.layer is None or self.scan is None or self._template is None:
            return
        labels = Image(np.array(self.layer.data), self.scan.geometry, "labels")
        study, source = self.scan.study, dict(self._template.source)
        if wait:
            self._on_saved(finish(_saved(study, labels, author, source, folder)))
            return
        self._slot.request(lambda: _saved(study, labels, author, source, folder))
        self.changed.emit()

    def discard(self) -> None:
        """Take the layer away."""
        layer, self.layer, self._template = self.layer, None, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        self.changed.emit()

    def close(self, wait_s: float) -> bool:
        """Wait for what is being written; says whether the thread has ended."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        return self._slot.close(wait_s)

    def _on_saved(self, path: Path) -> None:
        self.discard()
        self.saved.emit(path)

    def _on_removed(self, event: Any) -> None:  # noqa: ANN401
        if self.layer is not None and event.value is self.layer:
            self.layer, self._template = None, None
            self.changed.emit()


def _saved(
    study: Study, labels: Image, author: str, source: Mapping[str, str], folder: Path | None
) -> Generator[Progress, None, Path]:
    yield Progress(0, 1, "saving the correction")
    return save_correction(study, labels, author=author, source=source, folder=folder)
