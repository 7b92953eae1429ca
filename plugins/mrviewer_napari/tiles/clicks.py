"""A press and release of the left button at one place is a click; a drag is not."""

from collections.abc import Callable, Generator
from typing import Any

import numpy as np

__all__ = ["on_click"]

_DRAG_PIXELS = 3


def on_click(
    report: Callable[[tuple[float, ...], tuple[int, int]], None],
) -> Callable[[Any, Any], Generator[None, None, None]]:
    """Make a mouse callback for napari that calls `report(world_mm, cell)` for every click."""

    def watch(_viewer: Any, event: Any) -> Generator[None, None, None]:  # noqa: ANN401
        if event.type != "mouse_press" or event.button != 1:
            return
        start, farthest = np.array(event.pos), 0.0
        position, cell = tuple(event.position), event.viewbox
        yield
        while event.type == "mouse_move":
            farthest = max(farthest, float(np.abs(np.array(event.pos) - start).max()))
            yield
        if farthest <= _DRAG_PIXELS:
            report(position, cell)

    return watch
