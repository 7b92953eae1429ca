"""A file shows its own content: what would take it from another file is refused."""

from collections.abc import Callable
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from raw_files import write_bart

from mrviewer.array_files.stored_arrays import list_arrays
from mrviewer.coils import ring_coil_maps
from mrviewer.errors import FileFormatError
from mrviewer.physics import fft2c
from mrviewer.readers import open_study
from mrviewer.sampling.mask_file import load_mask

SHAPE = (2, 3, 16, 16)


def kspace() -> NDArray[np.complex64]:
    """Of two slices of a disc in three coils: an array whose axes tell what they are."""
    y, x = np.meshgrid(np.arange(16) - 8, np.arange(16) - 8, indexing="ij")
    slices = np.stack([np.hypot(y, x) < 7, np.hypot(y - 1, x) < 5])
    noise = 0.01 * np.random.default_rng(0).standard_normal(SHAPE)
    return fft2c((slices[:, None] * ring_coil_maps((16, 16), 3) + noise).astype(np.complex64)).astype(np.complex64)


KSPACE = kspace()


def external(file: h5py.File) -> None:
    """Values in a file of somebody else, taken byte for byte."""
    file.create_dataset("kspace", SHAPE, "c8", external=[("secret", 0, h5py.h5f.UNLIMITED)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(SHAPE, "c8")
    layout[:] = h5py.VirtualSource("other.h5", "k", SHAPE)
    file.create_virtual_dataset("kspace", layout)


def link(file: h5py.File) -> None:
    file["kspace"] = h5py.ExternalLink("other.h5", "/k")


def link_of_a_group(file: h5py.File) -> None:
    file["group/far"] = h5py.ExternalLink("other.h5", "/")
    file["kspace"] = h5py.SoftLink("/group/far/k")


def beside_the_kspace(file: h5py.File) -> None:
    file["kspace"] = KSPACE
    file["ismrmrd_header"] = h5py.ExternalLink("other.h5", "/k")


WAYS = (external, virtual, link, link_of_a_group, beside_the_kspace)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_bytes(bytes(8 * int(np.prod(SHAPE))))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["k"] = KSPACE
    return tmp_path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["scan.h5", "scan.mat"])
def test_hdf5_that_leads_elsewhere_is_refused(folder: Path, way: Callable[[h5py.File], None], name: str) -> None:
    with h5py.File(folder / name, "w") as file:
        way(file)
    with pytest.raises(FileFormatError, match=f"in {name} .*(leads to|lie in) another file") as refusal:
        open_study(folder / name)
    assert str(folder) not in str(refusal.value)


def test_a_list_of_arrays_and_a_mask_are_as_careful(folder: Path) -> None:
    with h5py.File(folder / "mask.mat", "w", userblock_size=512) as file:
        external(file)
    with (folder / "mask.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    for read in (list_arrays, lambda path: load_mask(path, (16, 16))):
        with pytest.raises(FileFormatError, match="lie in another file"):
            read(folder / "mask.mat")


def test_links_and_virtual_arrays_within_a_file_open(folder: Path) -> None:
    with h5py.File(folder / "soft.h5", "w") as file:
        file["x/y"] = KSPACE
        file["kspace"] = h5py.SoftLink("/x/y")
        file["nowhere"] = h5py.SoftLink("/gone")
    with h5py.File(folder / "virtual.h5", "w") as file:
        file["x"] = KSPACE
        layout = h5py.VirtualLayout(SHAPE, "c8")
        layout[:] = h5py.VirtualSource(".", "x", SHAPE)
        file.create_virtual_dataset("kspace", layout)
    for name in ("soft.h5", "virtual.h5"):
        [raw] = open_study(folder / name).raw.values()
        assert raw.shape == SHAPE


def test_a_file_that_changes_is_looked_through_again(folder: Path) -> None:
    with h5py.File(folder / "scan.h5", "w") as file:
        file["kspace"] = KSPACE
    [raw] = open_study(folder / "scan.h5").raw.values()
    with h5py.File(folder / "scan.h5", "w") as file:
        link(file)
    with pytest.raises(FileFormatError, match="another file"):
        raw.kspace(0)


@pytest.mark.parametrize(("header", "values"), [("a.hdr", "a.img"), ("b.hdr", "b.cfl")])
@pytest.mark.parametrize("asked", ["header", "values"])
def test_values_without_a_header_are_no_link_to_another_kind_of_file(
    folder: Path, header: str, values: str, asked: str
) -> None:
    if values.endswith(".cfl"):
        write_bart(folder / values, KSPACE[0].transpose(2, 1, 0)[:, :, None])
    else:
        nibabel.save(nibabel.Nifti1Pair(np.ones((8, 8, 8), np.float32), np.eye(4)), folder / values)
    kept, path = folder / f"kept{Path(values).suffix}", folder / (header if asked == "header" else values)
    (folder / values).rename(kept)
    link_to(folder / values, kept)
    assert open_study(path).modalities
    kept.rename(folder / "secret")
    (folder / values).unlink()
    link_to(folder / values, folder / "secret")
    with pytest.raises(FileFormatError, match=f"{values} is a link to a file of another kind") as refusal:
        open_study(path)
    assert "secret" not in str(refusal.value)


def link_to(path: Path, target: Path) -> None:
    try:
        path.symlink_to(target)
    except OSError:
        pytest.skip("links need a right that this user does not have")
