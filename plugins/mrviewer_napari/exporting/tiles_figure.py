"""The shown tiles as a figure: images in one row, error maps beneath. No Qt."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrviewer.metrics.quality import error_map
from mrviewer.reconstruction.reconstruct import Reconstruction
from mrviewer.writers.figures import Figure, Panel
from mrviewer_napari.computing.outcomes import Outcome
from mrviewer_napari.facts.orientation import axis_names, edge_letters
from mrviewer_napari.facts.plane import ViewPlane
from mrviewer_napari.facts.scan import Scan
from mrviewer_napari.facts.tile_texts import mask_text

__all__ = ["Shown", "tiles_figure"]


@dataclass(frozen=True)
class Shown:
    """How the tiles show what they show.

    Parameters
    ----------
    plane
        Which plane; a figure of 3-D is the plane of the slices.
    voxel : (z, y, x)
        Where.
    window
        Gray values from black to white.
    error_limit
        Largest error of the scale.
    signed_errors, contours, radiological
        As in `mrviewer_napari.panel_state.PanelState`.
    """

    plane: ViewPlane
    voxel: tuple[int, int, int]
    window: tuple[float, float]
    error_limit: float
    signed_errors: bool = False
    contours: bool = True
    radiological: bool = True


def tiles_figure(scan: Scan, outcomes: Sequence[Outcome], shown: Shown) -> Figure:
    """Panels of the shown slice: the reference, each finished method, and its error map where there is one."""
    cut = _Cut.of(scan, shown)
    images: list[Panel | None] = []
    if scan.reference is not None:
        images.append(cut.image(scan.reference, "Reference", np.zeros(scan.geometry.shape, np.uint8)))
    errors: list[Panel | None] = [None] * len(images)
    for outcome in outcomes:
        made = outcome.reconstruction
        values = made.image if made.image is not None else scan.reference
        if values is not None:
            images.append(cut.image(values, _title(made), made.lesions))
            errors.append(cut.error(made))
    panels = [*images, *errors] if any(errors) else images
    return Figure(panels, cut.pixel_mm, len(images), cut.sides)


def _title(made: Reconstruction) -> str:
    return f"{made.method}, {mask_text(made.mask)}"


@dataclass(frozen=True, eq=False)
class _Cut:
    """Cuts the shown slice out of volumes, turned as it is on the screen."""

    scan: Scan
    shown: Shown
    axis: int
    rest: tuple[int, int]

    @classmethod
    def of(cls, scan: Scan, shown: Shown) -> "_Cut":
        axis = scan.slice_axis if shown.plane is ViewPlane.THREE_D else int(shown.plane.value[0])
        first, second = (other for other in range(3) if other != axis)
        return cls(scan, shown, axis, (first, second))

    @property
    def is_mirrored(self) -> bool:
        """Whether the patient's left is on the left; sagittal pictures have no such side."""
        return not self.shown.radiological and self.axis != 2

    @property
    def pixel_mm(self) -> tuple[float, float]:
        sizes = self.scan.geometry.voxel_size_mm
        return sizes[self.rest[0]], sizes[self.rest[1]]

    @property
    def sides(self) -> tuple[str, str]:
        letters = edge_letters(
            axis_names(self.scan.geometry), self.rest, "down", "left" if self.is_mirrored else "right"
        )
        return letters.left, letters.right

    def plane(self, volume: NDArray[np.generic]) -> NDArray[np.generic]:
        picture = np.take(volume, self.shown.voxel[self.axis], self.axis)
        return np.ascontiguousarray(picture[:, ::-1] if self.is_mirrored else picture)

    def image(self, volume: NDArray[np.generic], title: str, lesions: NDArray[np.uint8] | None) -> Panel:
        return Panel(self.plane(volume), title, self.shown.window, masks=self._masks(lesions))

    def error(self, made: Reconstruction) -> Panel | None:
        """The error map, on the scale of the tiles."""
        if made.image is None or self.scan.reference is None:
            return None
        limit, signed = self.shown.error_limit, self.shown.signed_errors
        error = error_map(self.plane(made.image), self.plane(self.scan.reference), signed=signed)
        title = f"{made.method}: {'error' if signed else '|error|'}, to {limit:.3g}"
        window = (-limit, limit) if signed else (0.0, limit)
        return Panel(error, title, window, signed, self._masks(made.lesions))

    def _masks(self, lesions: NDArray[np.uint8] | None) -> dict[str, NDArray[np.bool_]]:
        """Segmentation and reference, in the same two colours on every panel; none where nothing is segmented."""
        if lesions is None or not self.shown.contours:
            return {}
        volumes = {"segmentation": lesions, "reference": self.scan.labels}
        return {name: np.greater(self.plane(volume), 0) for name, volume in volumes.items() if volume is not None}
