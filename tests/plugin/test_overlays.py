"""The one module that leans on private parts of napari: this fails when they move."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari._vispy.overlays.base import VispyCanvasOverlay
from napari._vispy.utils.visual import overlay_to_visual

from mrviewer_napari.tiles.text_overlay import Anchor, Caption, TileCaptions, VispyTileCaptions


def test_napari_draws_our_captions_with_our_visual() -> None:
    assert overlay_to_visual[TileCaptions] is VispyTileCaptions


def test_napari_still_has_what_the_visual_builds_on() -> None:
    assert {"_on_position_change", "reset", "close"} <= set(dir(VispyCanvasOverlay))
    assert {"overlay", "viewer", "font_info"} <= set(
        inspect.signature(VispyCanvasOverlay.__mro__[1].__init__).parameters
    )


def test_equal_captions_do_not_draw_again() -> None:
    overlay, heard = TileCaptions(), []
    overlay.events.captions.connect(heard.append)
    for _ in range(2):
        overlay.captions = (Caption(0, Anchor.TITLE, "D5C5"),)
    assert len(heard) == 1


@pytest.mark.gl
def test_words_appear_in_their_cell(make_napari_viewer: Callable[..., Any]) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.zeros((8, 8), np.float32), contrast_limits=(0, 1))
    words = viewer.canvas.overlays["test"] = TileCaptions(shape=(2, 2), visible=True)
    blank = viewer.screenshot(flash=False).astype(int)
    places = {Anchor.LEFT: 0, Anchor.RIGHT: 1, Anchor.TITLE: 2, Anchor.FOOT: 3}
    words.captions = tuple(Caption(cell, place, "WW", "#FF0000") for place, cell in places.items())
    red = np.argwhere((viewer.screenshot(flash=False).astype(int) - blank)[..., 0] > 100)
    assert len(red)
    height, width = blank.shape[:2]
    cells = (red[:, 0] >= height / 2) * 2 + (red[:, 1] >= width / 2)
    assert set(cells.tolist()) == {0, 1, 2, 3}
    left, right = red[cells == 0][:, 1], red[cells == 1][:, 1]
    assert left.max() < width / 8
    assert right.min() > width * 7 / 8
