"""Two threads read every format at once, as coils dock and reconstruction do: nothing crashes, nothing differs."""

import subprocess
import sys
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
from dicom_files import Series
from raw_files import header, kspace, lines_of, write_bart, write_fastmri, write_ismrmrd
from scipy.io import savemat

HEIGHT, WIDTH = 40, 32
XML = header((WIDTH, HEIGHT, 1), (WIDTH, HEIGHT, 1), (WIDTH * 2.0, HEIGHT * 1.5, 3.0))

PROGRAM = """
import sys, threading, time
from pathlib import Path
import numpy as np
from mrviewer.readers import open_study

seconds, *names = sys.argv[1:]
failures = []

def values(study):
    return [*(image.volume() for image in study.images.values()), *(raw.kspace(0) for raw in study.raw.values())]

def read(path, expected, end, barrier):
    try:
        barrier.wait()
        while time.monotonic() < end and not failures:
            assert all(map(np.array_equal, values(shared[path]), expected)), path
            assert all(map(np.array_equal, values(open_study(path)), expected)), path
    except BaseException as error:
        failures.append(repr(error))

shared = {}
for name in names:
    path = Path(name)
    expected = values(open_study(path))
    shared[path] = open_study(path)
    barrier, end = threading.Barrier(2), time.monotonic() + float(seconds)
    threads = [threading.Thread(target=read, args=(path, expected, end, barrier)) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(path.name, flush=True)
sys.exit("; ".join(failures) or 0)
"""
"""In a process of its own: a crash would take pytest along."""


def write_all(folder: Path) -> list[Path]:
    """One small file of every format."""
    rng = np.random.default_rng(0)
    stack = kspace(2)
    image = nibabel.Nifti1Image(rng.integers(0, 900, (12, 14, 9), np.int16), np.diag([1.0, 1.0, 2.0, 1.0]))
    nibabel.save(image, folder / "a.nii.gz")
    nibabel.save(image, folder / "b.nii")
    nibabel.save(nibabel.Nifti1Pair(np.asarray(image.dataobj), image.affine), folder / "c.img")
    Series().write(folder / "d")
    write_fastmri(folder / "e.h5", stack, XML)
    write_ismrmrd(folder / "f.h5", XML, lines_of(stack))
    write_bart(folder / "g.cfl", stack[0].transpose(1, 2, 0)[:, :, None])
    np.save(folder / "h.npy", stack[0])
    savemat(folder / "i.mat", {"k": stack[0]})
    with h5py.File(folder / "j.mat", "w", userblock_size=512) as file:
        file["k"] = stack[0]
    with (folder / "j.mat").open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    names = ("a.nii.gz", "b.nii", "c.img", "d", "e.h5", "f.h5", "g.cfl", "h.npy", "i.mat", "j.mat")
    return [folder / name for name in names]


def read_at_once(paths: list[Path], seconds: float) -> None:
    """Read each file by two threads for a while."""
    command = [sys.executable, "-X", "faulthandler", "-c", PROGRAM, str(seconds), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60 + 20 * seconds * len(paths))
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == [path.name for path in paths]


@pytest.mark.slow
def test_two_threads_read_every_format(tmp_path: Path) -> None:
    read_at_once(write_all(tmp_path), 0.3)


@pytest.mark.slow
def test_two_threads_read_hdf5_for_ten_seconds(tmp_path: Path) -> None:
    read_at_once([path for path in write_all(tmp_path) if path.name in ("e.h5", "f.h5", "j.mat")], 10.0)
