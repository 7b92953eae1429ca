"""Small raw files of every format, made for tests: one object, seen by some coils."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import ismrmrd
import numpy as np
from numpy.typing import NDArray

from mrviewer.coils import ring_coil_maps
from mrviewer.physics import fft2c

HEIGHT, WIDTH, N_COILS = 40, 32, 3


def object_image(height: int = HEIGHT, width: int = WIDTH, number: int = 0) -> NDArray[np.float32]:
    """Ellipses with an edge, smaller than the field of view; another one for every number."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    radius = np.hypot((y - height / 2) / (0.38 * height), (x - width / 2) / (0.33 * width))
    inner = np.hypot((y - height * 0.6) / (0.12 * height), (x - width * 0.42) / (0.1 * width))
    return (radius < 1) * 1.0 + (inner < 1) * (0.5 + 0.2 * number) + (y > height / 2) * (radius < 1) * 0.3


def coil_images(
    n_slices: int = 1, n_coils: int = N_COILS, height: int = HEIGHT, width: int = WIDTH
) -> NDArray[np.complex64]:
    """Complex images ``(slice, coil, y, x)``."""
    maps = ring_coil_maps((height, width), n_coils)
    return np.stack([object_image(height, width, n) * maps for n in range(n_slices)]).astype(np.complex64)


def kspace(
    n_slices: int = 1, n_coils: int = N_COILS, height: int = HEIGHT, width: int = WIDTH
) -> NDArray[np.complex64]:
    """K-space ``(slice, coil, y, x)`` of `coil_images`."""
    return fft2c(coil_images(n_slices, n_coils, height, width)).astype(np.complex64)


def header(
    encoded: tuple[int, int, int],
    image: tuple[int, int, int],
    fov: tuple[float, float, float],
    center: int | None = None,
) -> str:
    """Header of ISMRMRD; `fov` is that of the image, and the readout of the encoded space is as much wider."""
    wide = (fov[0] * encoded[0] / image[0], fov[1], fov[2])
    limits = (
        ""
        if center is None
        else (
            f"<encodingLimits><kspace_encoding_step_1><minimum>0</minimum><maximum>{encoded[1] - 1}</maximum>"
            f"<center>{center}</center></kspace_encoding_step_1></encodingLimits>"
        )
    )
    spaces = "".join(
        f"<{name}><matrixSize><x>{m[0]}</x><y>{m[1]}</y><z>{m[2]}</z></matrixSize><fieldOfView_mm><x>{f[0]}</x>"
        f"<y>{f[1]}</y><z>{f[2]}</z></fieldOfView_mm></{name}>"
        for name, m, f in (("encodedSpace", encoded, wide), ("reconSpace", image, fov))
    )
    return (
        '<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding>'
        f"{spaces}{limits}<trajectory>cartesian</trajectory></encoding></ismrmrdHeader>"
    )


def write_fastmri(path: Path, samples: NDArray[np.generic], xml: str | None = None, **datasets: object) -> Path:
    """Write a file in the layout of fastMRI."""
    with h5py.File(path, "w") as file:
        file["kspace"] = samples
        if xml is not None:
            file["ismrmrd_header"] = xml
        for name, values in datasets.items():
            file[name] = values
    return path


@dataclass(frozen=True)
class Line:
    """One readout: its samples ``(coil, sample)``, where it goes, and how it is flagged."""

    samples: NDArray[np.complex64]
    step: int
    slice_: int = 0
    partition: int = 0
    average: int = 0
    contrast: int = 0
    repetition: int = 0
    center: int | None = None
    flags: tuple[int, ...] = ()
    position_mm: float | None = None
    dwell_us: float = 0.0
    before: int = 0
    encoding: int = 0
    directions: tuple[tuple[float, ...], ...] | None = None
    place_mm: tuple[float, ...] | None = None


def lines_of(stack: NDArray[np.complex64], **fields: object) -> list[Line]:
    """Readouts of k-space ``(slice, coil, y, x)``, slice after slice."""
    return [
        Line(np.ascontiguousarray(plane[:, y]), y, slice_=number, **fields)  # type: ignore[arg-type]
        for number, plane in enumerate(stack)
        for y in range(plane.shape[1])
    ]


def write_ismrmrd(path: Path, xml: str, lines: list[Line]) -> Path:
    """Write readouts with the library of the format, which is not the one that reads them here."""
    dataset = ismrmrd.Dataset(str(path), "dataset", create_if_needed=True)
    dataset.write_xml_header(xml.encode())
    for line in lines:
        acquisition = ismrmrd.Acquisition.from_array(np.ascontiguousarray(line.samples))
        acquisition.idx.kspace_encode_step_1 = line.step
        acquisition.idx.kspace_encode_step_2 = line.partition
        acquisition.idx.slice = line.slice_
        acquisition.idx.average = line.average
        acquisition.idx.contrast = line.contrast
        acquisition.idx.repetition = line.repetition
        acquisition.center_sample = line.samples.shape[1] // 2 if line.center is None else line.center
        acquisition.sample_time_us = line.dwell_us
        acquisition.discard_pre = line.before
        acquisition.slice_dir[:] = (0.0, 0.0, 1.0)
        acquisition.position[:] = (0.0, 0.0, 5.0 * line.slice_ if line.position_mm is None else line.position_mm)
        acquisition.encoding_space_ref = line.encoding
        if line.directions is not None and line.place_mm is not None:
            acquisition.read_dir[:], acquisition.phase_dir[:], acquisition.slice_dir[:] = line.directions
            acquisition.position[:] = line.place_mm
        for flag in line.flags:
            acquisition.setFlag(flag)
        dataset.append_acquisition(acquisition)
    dataset.close()
    return path


def write_bart(path: Path, values: NDArray[np.complex64]) -> Path:
    """Write ``.cfl`` and ``.hdr``; `values` has the axes of BART, the fastest first."""
    path.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(map(str, values.shape)) + "\n")
    path.with_suffix(".cfl").write_bytes(values.astype("<c8").tobytes(order="F"))
    return path.with_suffix(".cfl")
