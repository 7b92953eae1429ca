"""The camera: which plane is shown, how it is fitted, and how to go to a place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrviewer_napari.facts.plane import ViewPlane

__all__ = ["centre_on", "displayed", "fit", "move_to", "show"]

_MARGIN = 0.06
"""Part of a cell that stays free around the picture, for the letters."""

_ENLARGED = 1.3
"""In 3-D napari fits a box around the turned volume, of which a head leaves the corners empty."""


_FROM_THE_FRONT = (0.45, 1.0, -0.55)
"""Direction of view in 3-D along (I, P, L): from the front, a little from below and from the patient's right."""


def show(viewer: Any, plane: ViewPlane, *, radiological: bool) -> None:  # noqa: ANN401 -- napari is not typed here
    """Show one plane in every tile, fitted.

    Only axial and coronal pictures have a radiological and a neurological side; in 3-D a mirrored axis would mirror the
    patient.
    """
    mirrored = not radiological and plane in (ViewPlane.AXIAL, ViewPlane.CORONAL)
    others = viewer.dims.ndim - 3
    axes = ViewPlane.AXIAL.value if plane is ViewPlane.THREE_D else plane.value
    order = (*range(others), *(axis + others for axis in axes))
    viewer.scene.camera.orientation2d = ("down", "left" if mirrored else "right")
    if viewer.dims.ndisplay == 3 and plane is not ViewPlane.THREE_D:
        viewer.dims.ndisplay = 2
    if tuple(viewer.dims.order) != order:
        viewer.dims.order = order
    if plane is ViewPlane.THREE_D:
        viewer.dims.ndisplay = 3
        viewer.scene.camera.set_view_direction(_FROM_THE_FRONT, (-1, 0, 0))
    fit(viewer)


def fit(viewer: Any) -> None:  # noqa: ANN401
    """Fit the pictures to their cells without turning the patient."""
    viewer.fit_to_view(margin=_MARGIN)
    if viewer.dims.ndisplay == 3:
        viewer.scene.camera.zoom *= _ENLARGED


def move_to(viewer: Any, world: NDArray[np.float64]) -> None:  # noqa: ANN401
    """Move the slices to a place in world mm."""
    others = tuple(viewer.dims.point[: viewer.dims.ndim - 3])
    viewer.dims.point = (*others, *world)


def centre_on(viewer: Any, world: NDArray[np.float64], field_of_view_mm: float) -> None:  # noqa: ANN401
    """Move slices and camera to a place in world mm and show `field_of_view_mm` around it."""
    move_to(viewer, world)
    axes = displayed(viewer)
    viewer.scene.camera.center = (0.0,) * (3 - len(axes)) + tuple(world[list(axes)])
    viewer.scene.camera.zoom = min(viewer.canvas.viewbox_size(viewer.layers)) / field_of_view_mm


def displayed(viewer: Any) -> tuple[int, ...]:  # noqa: ANN401
    """Axes (z, y, x) on the screen; a layer of somebody else may have brought more axes, which come first."""
    return tuple(axis - viewer.dims.ndim + 3 for axis in viewer.dims.displayed)
