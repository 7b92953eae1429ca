"""A slice that the files lack is called so, and not praised."""

from dataclasses import replace

import numpy as np
from conftest import FakeMethod, make_study

from mrviewer.progress import finish
from mrviewer.reconstruction.reconstruct import SliceResult
from mrviewer.study import Study
from mrviewer_napari.facts.tile_texts import MISSING, tile_text
from mrviewer_napari.opening.load_scan import load_scan


def study_without(*missing: int) -> Study:
    study = make_study()
    flair = study.images["FLAIR"]
    volume = np.array(flair.volume())
    volume[list(missing)] = 0
    return replace(study, images={**study.images, "FLAIR": replace(flair, data=volume, missing=missing)})


def test_a_missing_slice_has_no_figures() -> None:
    scan = finish(load_scan(study_without(1)))
    assert scan.reference is not None
    texts = [
        tile_text(FakeMethod("zf").card, scan, SliceResult(index, scan.reference[index] * 0.9, None, None), "R = 4")
        for index in range(3)
    ]
    assert ["SSIM" in text for text in texts] == [True, False, True]
    assert [MISSING in text for text in texts] == [False, True, False]


def test_another_modality_may_have_the_slice() -> None:
    assert not finish(load_scan(study_without(1), "T1")).is_missing(1)
