"""DICOM files that are wrong: one sentence, no crash, no memory, no hang; the rest of the folder still opens."""

import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from time import process_time

import numpy as np
import pydicom
import pytest
from dicom_files import Series, enhanced, set_pixels, write_dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian

from mrviewer.errors import FileFormatError, InputError
from mrviewer.progress import finish
from mrviewer.readers import open_study
from mrviewer.readers.dicom import list_series, read_series, thumbnail

MOST_MEMORY = 32 << 20
MOST_SECONDS = 5.0


def look_at(path: Path) -> str:
    """Do all that a viewer does; return the refusals. Anything but `InputError` is a failure of the test."""
    told = []
    try:
        for entry in finish(list_series(path)):
            thumbnail(entry)
            told.append(entry.refusal)
            for volume in range(len(entry.volumes)):
                np.asarray(read_series(entry, volume).images[0].data)
    except InputError as error:
        told.append(str(error))
    return " ".join(told)


def refusal(path: Path) -> str:
    """Refusals, after looking at time and memory."""
    tracemalloc.start()
    start = process_time()
    told = look_at(path)
    seconds, (_, peak) = process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < MOST_SECONDS
    assert peak < MOST_MEMORY
    assert "\n" not in told
    return told


def single(folder: Path, **changed: object) -> Path:
    """One slice with other elements than it should have."""
    [dataset] = Series(n_slices=1).slices
    for keyword, value in changed.items():
        setattr(dataset, keyword, value)
    write_dataset(folder / "one.dcm", dataset)
    return folder / "one.dcm"


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"Rows": 30000, "Columns": 30000}, "larger than any MR image"),
        ({"Rows": 8000, "Columns": 8000}, "cut short or has a wrong header"),
        ({"NumberOfFrames": 30000}, "needs?|need"),
        ({"NumberOfFrames": 2_000_000_000}, "more than any MR image has"),
        ({"Rows": 0}, "no pixels"),
        ({"BitsAllocated": 1}, "1 bits per pixel"),
        ({"BitsAllocated": 64}, "64 bits per pixel"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "picture in colour"),
        ({"Modality": "CT"}, "computed tomography and no MR image"),
        ({"Modality": "US"}, "ultrasound"),
        ({"Modality": "XA"}, "'XA' and no MR image"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "MOSAIC"]}, "mosaic and does not say"),
    ],
)
def test_what_cannot_be_shown_is_refused(tmp_path: Path, changed: dict[str, object], fault: str) -> None:
    told = refusal(single(tmp_path, **changed))
    assert "one.dcm" in told
    assert any(part in told for part in fault.split("?|"))


@pytest.mark.parametrize("count", [1000, 400, 150, 10])
def test_files_that_end_early_are_refused(tmp_path: Path, count: int) -> None:
    path = single(tmp_path)
    path.write_bytes(path.read_bytes()[: -32 if count == 1000 else count])
    assert "one.dcm" in refusal(path)


@pytest.mark.parametrize("values", [("nan",) * 3, ("1e999", "0", "0"), ("1", "2"), ("x", "y", "z")])
def test_a_position_that_is_none_is_not_believed(tmp_path: Path, values: tuple[str, ...]) -> None:
    [dataset] = Series(n_slices=1).slices
    element = pydicom.DataElement(0x00200032, "DS", None)
    dataset.add(element)
    write_dataset(tmp_path / "one.dcm", dataset)
    stored = (tmp_path / "one.dcm").read_bytes()
    text = "\\".join(values).encode()
    text += b" " * (len(text) % 2)
    empty = b"\x20\0\x32\0DS\0\0"
    assert empty in stored
    (tmp_path / "one.dcm").write_bytes(stored.replace(empty, empty[:6] + struct.pack("<H", len(text)) + text))
    study = open_study(tmp_path / "one.dcm")
    assert "does not say where it lies" in " ".join(study.notes)


def test_a_damaged_slice_is_left_out_and_the_others_open(tmp_path: Path) -> None:
    series = Series(n_slices=10)
    folder = series.write(tmp_path)
    whole = (folder / "IM0004").read_bytes()
    (folder / "IM0004").write_bytes(whole[:-20])
    [entry] = finish(list_series(folder))
    notes = " ".join((*entry.notes, *read_series(entry).notes))
    assert "IM0004 is cut short" in notes
    assert "slice 5 (of 0 to 9, counted from the head as the slider does) is missing" in notes


@pytest.mark.parametrize("csa", [b"SV10\4\3\2\1" + b"\xff" * 200, b"no such header" * 10, b"SV10"])
def test_a_damaged_header_of_the_vendor_is_told(tmp_path: Path, csa: bytes) -> None:
    path = tmp_path / "one.dcm"
    [dataset] = Series(n_slices=1, shape=(8, 8)).slices
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
    dataset.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
    dataset.add_new(0x00291010, "OB", csa + b"\0" * (len(csa) % 2))
    write_dataset(path, dataset)
    assert "one.dcm is a mosaic" in refusal(path)


def test_a_file_that_vanishes_is_told(tmp_path: Path) -> None:
    folder = Series().write(tmp_path)
    [entry] = finish(list_series(folder))
    data = read_series(entry).images[0].data
    (folder / "IM0002").unlink()
    with pytest.raises(FileFormatError, match="IM0002 cannot be read"):
        np.asarray(data)


def test_a_deflated_bomb_is_refused(tmp_path: Path) -> None:
    path = single(tmp_path)
    [dataset] = Series(n_slices=1).slices
    write_dataset(path, dataset, DeflatedExplicitVRLittleEndian)
    stored = path.read_bytes()
    start = 144 + struct.unpack_from("<I", stored, 140)[0]
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(300)) + squeezer.flush()
    path.write_bytes(stored[:start] + bomb)
    assert "unpack to more than" in refusal(path)


def test_a_zip_that_is_none_or_encrypted_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(single(tmp_path), "one.dcm")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "study.zip is damaged" in refusal(path)
    locked = bytearray(whole)
    locked[6] |= 1
    locked[whole.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(locked))
    assert "study.zip" in refusal(path)


def test_nothing_and_nonsense_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file gone"):
        finish(list_series(tmp_path / "gone"))
    with pytest.raises(FileFormatError, match="no DICOM file"):
        finish(list_series(tmp_path))
    (tmp_path / "text").write_text("words " * 100)
    with pytest.raises(FileFormatError, match="text is a text file"):
        finish(list_series(tmp_path / "text"))


@pytest.fixture(scope="module")
def whole_files() -> list[bytes]:
    """A classic and an enhanced file, as bytes."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.dcm")
        write_dataset(path, Series(n_slices=1).slices[0])
        classic = path.read_bytes()
        write_dataset(path, enhanced(Series(n_slices=2), iter([(0, {}), (1, {})])))
        many = path.read_bytes()
        mosaic = Series(n_slices=1, shape=(8, 8)).slices[0]
        set_pixels(mosaic, np.zeros((8, 8), np.uint16))
        mosaic.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
        mosaic.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
        mosaic.add_new(0x0019100A, "US", 3)
        write_dataset(path, mosaic)
        return [classic, many, path.read_bytes()]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_open_or_are_refused(tmp_path: Path, whole_files: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(whole_files)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(128, len(whole) - 5))
        piece = data.draw(
            st.sampled_from([b"\xff", b"\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x01", b"SQ", b"-1"])
        )
        whole[at : at + len(piece)] = piece
    if data.draw(st.booleans()):
        whole = whole[: data.draw(st.integers(100, len(whole)))]
    path = tmp_path / "mutated.dcm"
    path.write_bytes(bytes(whole))
    look_at(path)
