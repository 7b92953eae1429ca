"""FLAIR heads that are made from label maps for `unet-full`, and the lesions that are painted into them."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from mrviewer.database import Subject
from mrviewer.geometry import Geometry
from mrviewer.progress import finish
from mrviewer.readers import read_image
from mrviewer.study import Image, Study
from mrviewer.training.options import TrainingOptions
from mrviewer_models.brain_mask.anatomies import brain_of, groups_of
from mrviewer_models.unet_full.planes import PlaneSource
from mrviewer_models.unet_full.prepared import prepare_volumes
from mrviewer_models.unet_full.synthetic import WHITE_MATTER, lesions_of_others, synthetic_flair

EDGE = 72
LABELS = ((35, 507), (33, 515), (31, 24), (29, 3), (24, 2), (9, 4))
"""Radius in mm and label, from the scalp to the ventricles."""


def label_map() -> NDArray[np.int16]:
    line = np.arange(EDGE) - (EDGE - 1) / 2
    radius = np.sqrt(line[:, None, None] ** 2 + line[:, None] ** 2 + line**2)
    labels = np.zeros(radius.shape, np.int16)
    for reach, label in LABELS:
        labels[radius < reach] = label
    return labels


def label_image() -> Image:
    labels = label_map().astype(np.float32)
    return Image(labels, Geometry.axial(labels.shape, (1.0, 1.0, 1.0)), "anatomy")


def mni_mask(folder: Path) -> Path:
    """Two lesions in MNI space, left and right of the middle, the left one higher."""
    mask = np.zeros((182, 218, 182), np.uint8)
    affine = np.array([[-1.0, 0, 0, 90], [0, 1, 0, -126], [0, 0, 1, -72], [0, 0, 0, 1]])
    for x, y, z in ((-38, -17, 30), (38, -17, -10)):
        i, j, k = np.rint(np.linalg.inv(affine) @ [x, y, z, 1]).astype(int)[:3]
        mask[i - 4 : i + 5, j - 4 : j + 5, k - 4 : k + 5] = 1
    path = folder / "patient_mask.nii.gz"
    nib.save(nib.Nifti1Image(mask, affine), path)
    return path


@pytest.mark.parametrize("seed", range(4))
def test_white_matter_is_at_one_and_fluid_is_dark(seed: int) -> None:
    groups = groups_of(label_map())
    image = synthetic_flair(groups, brain_of(groups), np.random.default_rng(seed))
    assert np.median(image[groups == 1]) == pytest.approx(1, abs=0.1)
    assert np.median(image[groups == 3]) < 0.6
    assert np.median(image[groups == 2]) > 0.85
    assert np.isfinite(image).all()


def test_heads_differ_and_some_have_no_skull() -> None:
    groups = groups_of(label_map())
    brain, scalp = brain_of(groups), label_map() == 507
    scalps = [synthetic_flair(groups, brain, np.random.default_rng(seed))[scalp].mean() for seed in range(10)]
    assert min(scalps) < 0.02
    assert len({round(float(level), 3) for level in scalps if level > 0.02}) > 2


def test_lesions_keep_their_side_and_height(tmp_path: Path) -> None:
    head = label_image()
    brain = brain_of(groups_of(head.volume()))
    found = lesions_of_others(read_image(mni_mask(tmp_path)), head, brain)
    affine = head.geometry.affine
    world = np.argwhere(found) @ affine[:3, :3].T + affine[:3, 3]
    left, right = world[world[:, 0] < 0], world[world[:, 0] > 0]
    assert len(left) > 50
    assert len(right) > 50
    assert left[:, 2].mean() > right[:, 2].mean() + 10
    assert abs(left[:, 0].mean() + right[:, 0].mean()) < 3
    assert brain[found].mean() > 0.95


def test_synthetic_heads_are_drawn_beside_real_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "masks").mkdir()
    mni_mask(tmp_path / "masks")
    study = Study("map", {"anatomy": label_image()})
    volume = np.full((40, 40, 40), 100, np.float32)
    labels = np.zeros(volume.shape, np.uint8)
    labels[10:14, 10:14, 10:14] = 1
    geometry = Geometry.axial((40, 40, 40), (1.0, 1.0, 1.0))
    real = Study("real", {"FLAIR": Image(volume, geometry, "FLAIR")}, Image(labels, geometry, "labels"))
    subjects = [Subject("map", lambda: study, database="maps"), Subject("real", lambda: real, database="real")]
    volumes = finish(prepare_volumes(subjects, "FLAIR", tmp_path / "masks"))
    synthetic, scanned = sorted(volumes, key=lambda volume: volume.is_real)
    assert not synthetic.is_real
    assert scanned.is_real
    assert synthetic.n_foreign == 1
    assert synthetic.n_points == 0
    number, voxel = synthetic.foreign_place(np.random.default_rng(0))
    box = tuple(slice(int(place), int(place) + 1) for place in voxel)
    assert synthetic.foreign(number, (box[0], box[1], box[2])).all()

    def share_of_lesions(real_share: float) -> float:
        training = TrainingOptions(batch_size=8, crop=24, lesion_share=1.0, real_share=real_share)
        source = PlaneSource(volumes, training, neighbours=1, paint_share=1.0)
        return float(np.mean([source.batch(step).label.float().mean() for step in range(3)]))

    assert share_of_lesions(0.0) > 0
    assert share_of_lesions(1.0) > 0


def test_lesions_are_painted_in_white_matter_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "masks").mkdir()
    mni_mask(tmp_path / "masks")
    subject = Subject("map", lambda: Study("map", {"anatomy": label_image()}), database="maps")
    (volume,) = finish(prepare_volumes([subject], "FLAIR", tmp_path / "masks"))
    depth, height, width = volume.shape
    foreign = volume.foreign(0, (slice(0, depth), slice(0, height), slice(0, width)))
    image, label = volume.read((slice(0, depth), slice(0, height), slice(0, width)))
    assert np.median(image[foreign]) == pytest.approx(1, abs=0.1)
    assert not label.any()
    assert np.count_nonzero(np.isin(groups_of(label_map()), WHITE_MATTER)) > np.count_nonzero(foreign) > 100
