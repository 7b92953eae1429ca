"""Files: a slice of multi-coil k-space, a compressed volume, its first slice, and the memory that it takes."""

import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import h5py
import nibabel
import numpy as np

from benchmarks import harness
from benchmarks.harness import Row
from benchmarks.samples import sample, shared_folder
from mrviewer.coils import estimate_maps
from mrviewer.readers import open_study, read_image
from mrviewer.readers.nifti import NiftiArray

KSPACE = (4, 16, 640, 320)


def rows() -> Iterator[Row]:
    """Compare with h5py, nibabel and sigpy."""
    with tempfile.TemporaryDirectory() as folder:
        yield _slice(Path(folder))
        yield from _volumes(Path(folder))
    yield _maps()


def _slice(folder: Path) -> Row:
    rng = np.random.default_rng(0)
    path = folder / "kspace.h5"
    with h5py.File(path, "w") as file:
        file["kspace"] = rng.standard_normal((*KSPACE, 2), np.float32).view(np.complex64)[..., 0]
    [raw] = open_study(path).raw.values()

    def theirs() -> object:
        with h5py.File(path) as file:
            return file["kspace"][2]

    same = np.array_equal(np.asarray(raw.kspace(2)), np.asarray(theirs()))
    note = f"{' x '.join(map(str, KSPACE[1:]))} complex64, stored plainly; values {'equal' if same else 'DIFFER'}"
    return harness.pair(
        "slice of 16-coil HDF5 k-space", lambda: raw.kspace(2), theirs, peer="h5py", target=1.2, rounds=15, note=note
    )


def _volumes(folder: Path) -> Iterator[Row]:
    data = sample()
    head = np.flip(data.flair * (1000 / data.flair.max())).T
    for kind in (np.float32, np.int16):
        path = _stored_as(kind) or folder / f"{kind.__name__}.nii.gz"
        if not path.exists():
            nibabel.Nifti1Image(head.astype(kind), np.diag([-1, 1, 1, 1])).to_filename(path)
        name = f".nii.gz, {kind.__name__}"
        note = f"{data.source}, {' x '.join(map(str, head.shape))}"

        def theirs(path: Path = path) -> object:
            return nibabel.load(path).get_fdata()

        yield harness.pair(
            name, lambda path=path: np.asarray(read_image(path).data), theirs,
            peer="nibabel get_fdata", target=0.3, rounds=5, note=f"{note}; {_peak(path)}",
        )  # fmt: skip
        yield harness.pair(
            f"{name}, first slice", lambda path=path: _first_slice(path), theirs,
            peer="nibabel get_fdata", target=0.05, rounds=5, note=note,
        )  # fmt: skip


def _stored_as(kind: type[np.generic]) -> Path | None:
    """The FLAIR of the sample as its authors stored it, if that is how they did."""
    shared = shared_folder()
    if shared is None:
        return None
    (path,) = (shared / "ms_lesjak_mni" / "patient19").glob("FLAIR*.nii.gz")
    return path if nibabel.load(path).get_data_dtype() == kind else None


def _first_slice(path: Path) -> object:
    image = read_image(path)
    data = image.data
    assert isinstance(data, NiftiArray)
    return data.plane(image.geometry.shape[0] - 1)


def _peak(path: Path) -> str:
    """Peak memory of reading, relative to the array."""
    data = read_image(path).data
    tracemalloc.start()
    values = np.asarray(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return f"peak memory {peak / values.nbytes:.2f} of the array"


def _maps() -> Row:
    name, target = "coil maps of one slice, 8 coils", 0.5
    if reason := harness.missing("sigpy"):
        return harness.skipped(name, peer="sigpy ESPIRiT", target=target, reason=reason)
    import sigpy.mri

    from mrviewer.coils import ring_coil_maps
    from mrviewer.physics import fft2c

    shape = (128, 128)
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    head = ((x / 0.7) ** 2 + (y / 0.85) ** 2 < 1) * (1 + 0.3 * np.sin(9 * x * y))
    noise = np.random.default_rng(2).standard_normal((2, 8, *shape)) * 1e-3
    kspace = (fft2c(head * ring_coil_maps(shape, 8)) + noise[0] + 1j * noise[1]).astype(np.complex64)

    def theirs() -> object:
        return sigpy.mri.app.EspiritCalib(kspace, calib_width=24, crop=0, max_iter=30, show_pbar=False).run()

    agreement = np.abs(np.sum(np.conj(estimate_maps(kspace)) * np.asarray(theirs()), axis=0))[head > 0]
    note = f"{shape[0]} x {shape[1]}, 30 iterations; maps agree to {agreement.mean():.4f}"
    return harness.pair(
        name, lambda: estimate_maps(kspace), theirs, peer="sigpy ESPIRiT", target=target, rounds=3, note=note
    )
