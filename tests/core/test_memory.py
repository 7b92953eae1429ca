"""Memory: volumes a few slices at a time with the figures of before, and a refusal before any is taken."""

import gzip
import itertools
from pathlib import Path

import nibabel
import numpy as np
import psutil
import pytest

from mrviewer.errors import InputError
from mrviewer.evaluation.assessment import assess, assess_run
from mrviewer.geometry import Geometry
from mrviewer.method import Task
from mrviewer.methods.registry import get_method, list_methods
from mrviewer.metrics.quality import image_quality, ssim
from mrviewer.progress import finish
from mrviewer.readers import open_study
from mrviewer.reconstruction.acquisition import raw_data
from mrviewer.reconstruction.memory_need import memory_need
from mrviewer.reconstruction.reconstruct import Reconstruction, reconstruct
from mrviewer.sampling import make_mask
from mrviewer.sliced import SlicedVolume, block_of, without_slices
from mrviewer.study import Image, Study
from mrviewer.system import memory
from mrviewer.system.memory import available_bytes, require_memory, total_bytes
from mrviewer.writers import nifti
from mrviewer.writers.nifti import write_volume

SHAPE = (16, 18, 20)


def sliced(volume: np.ndarray, axis: int) -> SlicedVolume:
    z, y, x = volume.shape
    return SlicedVolume((z, y, x), axis, lambda index: np.moveaxis(volume, axis, 0)[index])


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(0).random(SHAPE, np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_sliced_volume_is_its_array(axis: int, volume: np.ndarray) -> None:
    lazy = sliced(volume, axis)
    assert (lazy.shape, lazy.ndim, lazy.size, lazy.dtype) == (SHAPE, 3, volume.size, volume.dtype)
    np.testing.assert_array_equal(np.asarray(lazy), volume)
    for along in range(3):
        np.testing.assert_array_equal(block_of(lazy, along, 2, 5), block_of(volume, along, 2, 5))
        kept = without_slices(lazy, (0, 3), along)
        np.testing.assert_array_equal(np.asarray(kept), np.delete(volume, (0, 3), along))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_figures_of_slices_are_those_of_the_volume(axis: int, volume: np.ndarray) -> None:
    image = volume + np.random.default_rng(1).normal(0, 0.05, SHAPE).astype(np.float32)
    whole, lazy = image_quality(image, volume, axis), image_quality(image, sliced(volume, axis), axis)
    for name in ("psnr", "ssim", "nmse", "hfen"):
        assert getattr(lazy, name) == pytest.approx(getattr(whole, name), rel=1e-12)
    assert ssim(image, sliced(volume, axis), axis) == ssim(image, volume, axis)


def upright(affine_axes: tuple[int, ...], flips: tuple[int, ...]) -> Geometry:
    affine = np.eye(4)
    affine[:3, :3] = 0
    for row, (column, flip) in enumerate(zip(affine_axes, flips, strict=True)):
        affine[row, column] = flip * (row + 1.0)
    return Geometry.from_stored((6, 7, 8), affine)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_a_volume_is_written_in_parts_as_at_once(
    axes: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nifti, "BLOCK_BYTES", 500)
    for flips in ((1, 1, 1), (-1, 1, -1), (1, -1, -1)):
        geometry = upright(axes, flips)
        values = np.random.default_rng(2).random(geometry.shape, np.float32)
        series = np.stack([values, 2 * values])
        for given in (values, series, *(sliced(values, axis) for axis in range(3))):
            path = write_volume(tmp_path / "a.nii.gz", given, geometry)
            loaded = nibabel.Nifti1Image.from_bytes(gzip.decompress(path.read_bytes()))
            expected = geometry.to_stored_order(np.moveaxis(series, 0, -1) if given is series else values)
            np.testing.assert_array_equal(np.asanyarray(loaded.dataobj), expected)
            np.testing.assert_allclose(loaded.affine, geometry.stored_affine, atol=1e-6)


def study_of(shape: tuple[int, int, int] = SHAPE) -> Study:
    geometry = Geometry.axial(shape, (3.0, 1.0, 1.0))
    values = np.random.default_rng(3).random(shape, np.float32)
    return Study("study", {"FLAIR": Image(values, geometry, "FLAIR")})


def run(study: Study, *, keep_reference: bool) -> Reconstruction:
    mask = make_mask("random", SHAPE[1:], 4.0, 0.08, 0)
    return finish(reconstruct(study, get_method("zero-filled"), mask, device="cpu", keep_reference=keep_reference))


def test_a_run_without_its_reference_has_the_same_figures() -> None:
    held, lazy = (run(study_of(), keep_reference=keep) for keep in (True, False))
    assert isinstance(held.reference, np.ndarray)
    assert isinstance(lazy.reference, SlicedVolume)
    np.testing.assert_array_equal(np.asarray(lazy.reference), held.reference)
    assert assess_run(held, None).image == assess_run(lazy, None).image


def test_nothing_is_copied_to_be_measured(volume: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    geometry = Geometry.axial(SHAPE, (3.0, 1.0, 1.0))
    seen: list[object] = []
    monkeypatch.setattr("mrviewer.evaluation.assessment.image_quality", lambda *values: seen.extend(values))
    assess(image=volume, image_reference=volume, geometry=geometry)
    assert seen[0] is volume
    assert seen[1] is volume
    assess(image=-volume, image_reference=volume, geometry=geometry)
    np.testing.assert_array_equal(np.asarray(seen[3]), volume)


def test_what_cannot_fit_is_refused_before_memory_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(InputError, match=r"zero-filled on 16 slices of 18 x 20 .* needs about .* are free"):
        run(study_of(), keep_reference=False)


def test_a_file_that_cannot_fit_is_refused_when_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_volume(tmp_path / "FLAIR.nii", study_of().images["FLAIR"].volume(), Geometry.axial(SHAPE, (3, 1, 1)))
    study = open_study([str(path)])
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(InputError, match=r"FLAIR\.nii needs about .* cut it into smaller files"):
        study.images["FLAIR"].volume()


def test_every_method_has_a_need_that_grows_with_the_study() -> None:
    small, large = study_of(), study_of((32, 36, 40))
    for method in list_methods():
        needs = [
            memory_need(study, method, raw_data(study), 1, keep_reference=True, on_cpu=True) for study in (small, large)
        ]
        assert 0 < needs[0] < needs[1]
        if Task.RECONSTRUCT in method.card.tasks:
            assert needs[1] > 2 * 4 * 32 * 36 * 40


@pytest.mark.parametrize("version", ["new", "old"])
def test_the_limit_of_a_container_counts(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"new": ("memory.max", "memory.current", "inactive_file"),
             "old": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")}[version]  # fmt: skip
    top = tmp_path if version == "new" else tmp_path / "memory"
    inner = top / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "cgroup").write_text("4:cpu,memory:/a/b\n0::/\n" if version == "old" else "0::/a/b\n")
    if version == "old":
        (tmp_path / "cgroup").write_text("4:memory:/a/b\n3:cpu:/\n")
    for folder, limit in ((inner, "max"), (top / "a", "5000000")):
        (folder / names[0]).write_text(f"{limit}\n")
        (folder / names[1]).write_text("3000000\n")
        (folder / "memory.stat").write_text(f"anon 7\n{names[2]} 1000000\n")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "_MOUNT", tmp_path)
    assert total_bytes() == 5_000_000
    assert available_bytes() == 3_000_000
    with pytest.raises(InputError, match=r"it needs about 0\.0 GB of memory and 0\.0 GB are free; .* or wait"):
        require_memory(3_000_001, "it", "wait")
    require_memory(3_000_000, "it", "wait")


def test_without_a_container_the_machine_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "nothing")
    assert total_bytes() <= psutil.virtual_memory().total
    assert available_bytes() <= total_bytes()
