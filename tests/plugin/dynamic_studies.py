"""Small studies that change with time, and a method that tells something of them."""

import numpy as np
from conftest import FakeMethod

from mrviewer.geometry import Geometry
from mrviewer.images.dynamic import ENHANCED_PHASES, PHASES
from mrviewer.method import Needs, Task
from mrviewer.study import Image, Study

SHAPE = (2, 24, 20)
FRAMES = 5


def dynamic_study() -> Study:
    """A disc whose signal is 1, 2, ... 5 in five frames."""
    _, y, x = np.indices(SHAPE)
    disc = ((y - 12) ** 2 + (x - 10) ** 2 < 49).astype(np.float32)
    geometry = Geometry.axial(SHAPE, (3.0, 1.0, 1.0))
    series = np.stack([disc * (frame + 1) for frame in range(FRAMES)])
    return Study("dynamic", {"DCE": Image(series, geometry, "DCE")}, Image(disc.astype(np.uint8), geometry, "labels"))


def four_phases() -> Study:
    """A disc of 1, 3, 2 and 1.5 in the four phases."""
    _, y, x = np.indices(SHAPE)
    disc = ((y - 12) ** 2 + (x - 10) ** 2 < 49).astype(np.float32)
    geometry = Geometry.axial(SHAPE, (3.0, 1.0, 1.0))
    levels = dict(zip(PHASES, (1.0, 3.0, 2.0, 1.5), strict=True))
    images = {name: Image(disc * np.float32(level), geometry, name) for name, level in levels.items()}
    return Study("phases", images, Image(disc.astype(np.uint8), geometry, "labels"))


def teller(**changes: object) -> FakeMethod:
    """A method that predicts enhancement and class of a whole study."""
    return FakeMethod(
        "teller",
        (Task.SEGMENT, Task.REGRESS, Task.CLASSIFY),
        needs=Needs(kspace=False, whole_volume=True),
        classes=("tumour",),
        regresses=tuple(changes.get("regresses", ENHANCED_PHASES)),
        classifies=tuple(changes.get("classifies", ("cyst", "metastasis"))),
    )
