"""Pictures of the window and of the canvas as PNG, whole or not at all."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mrviewer.files.whole_file import whole_file
from mrviewer_napari.facts.study_facts import DISCLAIMER

__all__ = ["save_canvas", "save_window"]


def save_window(viewer: Any, path: Path) -> None:  # noqa: ANN401 -- napari is not typed here
    """Write the whole window; its panel carries the disclaimer."""
    _write(Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)), path)


def save_canvas(viewer: Any, path: Path) -> None:  # noqa: ANN401
    """Write the tiles with the disclaimer beneath."""
    _write(stamped(viewer.screenshot(canvas_only=True, flash=False)), path)


def stamped(pixels: NDArray[np.uint8]) -> Image.Image:
    """Picture with a strip beneath that says what it is not for."""
    picture = Image.fromarray(pixels).convert("RGB")
    strip = max(20, picture.height // 50)
    whole = Image.new("RGB", (picture.width, picture.height + strip), "black")
    whole.paste(picture, (0, 0))
    ImageDraw.Draw(whole).text((8, picture.height + 3), f"mrviewer: {DISCLAIMER}", fill=(160, 164, 171))
    return whole


def _write(picture: Image.Image, path: Path) -> None:
    with whole_file(path) as temporary:
        picture.convert("RGB").save(temporary, "PNG")
