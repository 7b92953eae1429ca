"""A file that cannot be opened is refused at once, in one sentence that names it, before memory is taken."""

import gzip
import struct
import tracemalloc
from pathlib import Path
from time import process_time

import nibabel
import numpy as np
import pytest

from mrviewer.errors import FileFormatError, InputError
from mrviewer.readers import open_study, read_image

BROKEN = {
    "claims_30000_cubed.nii": "announces 54,000,000,000,352 bytes and the file holds 55,568",
    "empty_file.nii.gz": "empty file",
    "header_only.nii": "announces 55,568 bytes and the file holds 352",
    "html_error_page.nii.gz": "web page",
    "truncated_gzip.nii.gz": "damaged or cut short",
    "wrong_sizeof_hdr.nii": "header of 999 bytes",
}
MOST_MEMORY = 4 << 20
MOST_SECONDS = 2.0


@pytest.fixture
def content() -> bytearray:
    """A sound little file, uncompressed."""
    values = np.arange(8000, dtype=np.int16).reshape(20, 20, 20)
    return bytearray(nibabel.Nifti1Image(values, np.eye(4)).to_bytes())


def refusal(path: Path) -> str:
    """Sentence with which a file is refused, after looking at time and memory."""
    tracemalloc.start()
    start = process_time()
    with pytest.raises(FileFormatError) as caught:
        open_study([path])
    seconds, (_, peak) = process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    message = str(caught.value)
    assert seconds < MOST_SECONDS
    assert peak < MOST_MEMORY
    assert path.name in message
    assert str(path.parent) not in message
    assert "\n" not in message
    assert "; " in message
    return message


@pytest.mark.parametrize("name", BROKEN)
def test_damaged_files_are_refused_quickly(shared_data: Path, name: str) -> None:
    assert BROKEN[name] in refusal(shared_data / "oddities_broken" / "nifti" / name)


def test_every_damaged_file_is_known(shared_data: Path) -> None:
    assert {path.name for path in (shared_data / "oddities_broken" / "nifti").iterdir()} == set(BROKEN)


@pytest.mark.parametrize(
    ("offset", "layout", "value", "fault"),
    [
        (40, "<h", 0, "announces 0 axes"),
        (40, "<h", 9, "announces 9 axes"),
        (42, "<h", -4, "announces -4 x 20 x 20 voxels"),
        (40, "<h", 1, "20 values, which is no image"),
        (70, "<h", 77, "does not know (code 77)"),
        (70, "<h", 1, "no numbers (code 1)"),
        (70, "<h", 128, "colour picture"),
        (70, "<h", 2304, "colour picture"),
        (108, "<f", 100.0, "start at byte 100"),
        (108, "<f", float("nan"), "start at byte nan"),
        (108, "<f", 1e30, "cut short or has a wrong header"),
        (344, "<i", 0, "ANALYZE"),
        (0, "<i", 0, "header of 0 bytes"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_header_is_not_believed(
    tmp_path: Path, content: bytearray, offset: int, layout: str, value: float, fault: str, *, compressed: bool
) -> None:
    struct.pack_into(layout, content, offset, value)
    path = tmp_path / ("a.nii.gz" if compressed else "a.nii")
    path.write_bytes(gzip.compress(content) if compressed else content)
    assert fault in refusal(path)


@pytest.mark.parametrize("kept", [1, 3, 200, 348, 351, 400])
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, content: bytearray, kept: int) -> None:
    (tmp_path / "a.nii").write_bytes(content[:kept])
    refusal(tmp_path / "a.nii")


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.99])
def test_a_gzip_file_cut_short_anywhere_is_refused(tmp_path: Path, content: bytearray, part: float) -> None:
    packed = gzip.compress(content)
    (tmp_path / "a.nii.gz").write_bytes(packed[: 2 + int(part * (len(packed) - 2))])
    refusal(tmp_path / "a.nii.gz")


def test_a_gzip_file_that_cannot_hold_its_claim_is_refused_unread(tmp_path: Path, content: bytearray) -> None:
    struct.pack_into("<3h", content, 42, 30000, 30000, 30000)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(content))
    assert "compressed bytes cannot hold that" in refusal(tmp_path / "a.nii.gz")


def test_a_gzip_file_that_holds_less_than_its_claim_is_refused(tmp_path: Path, content: bytearray) -> None:
    struct.pack_into("<h", content, 42, 40)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(content))
    assert "announces 32,352 bytes and the file holds 16,352" in refusal(tmp_path / "a.nii.gz")


def test_a_gzip_file_with_a_wrong_checksum_is_refused_when_it_is_read(tmp_path: Path, content: bytearray) -> None:
    packed = bytearray(gzip.compress(content))
    packed[-8] ^= 0xFF
    (tmp_path / "a.nii.gz").write_bytes(packed)
    image = read_image(tmp_path / "a.nii.gz")
    with pytest.raises(FileFormatError, match=r"^a\.nii\.gz is damaged"):
        image.volume()


def test_a_file_that_vanishes_is_refused_when_it_is_read(tmp_path: Path, content: bytearray) -> None:
    path = tmp_path / "a.nii"
    path.write_bytes(content)
    image = read_image(path)
    path.unlink()
    with pytest.raises(FileFormatError, match=r"^a\.nii cannot be read"):
        image.volume()


def test_more_than_the_memory_of_the_machine_is_refused(tmp_path: Path, content: bytearray) -> None:
    # A sparse file: it has all the bytes that it announces, and takes no room on the disk.
    struct.pack_into("<3h", content, 42, 20000, 20000, 20000)
    path = tmp_path / "a.nii"
    path.write_bytes(content[:352])
    with path.open("r+b") as file:
        file.truncate(352 + 2 * 20000**3)
    assert "needs 16000 GB of memory" in refusal(path)


def test_a_pair_needs_both_files(tmp_path: Path, content: bytearray) -> None:
    (tmp_path / "a.hdr").write_bytes(content[:348])
    assert "has no a.img beside it" in refusal(tmp_path / "a.hdr")
    (tmp_path / "b.img").write_bytes(content[352:])
    assert "has no b.hdr beside it" in refusal(tmp_path / "b.img")


def test_a_format_that_is_not_read_says_what_is(shared_data: Path) -> None:
    said = refusal(shared_data / "oddities_nifti" / "head.mgz")
    assert "MGH (FreeSurfer) and one of NIfTI, " in said
    assert "mri_convert" in said


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file a\.nii\.gz; check the path"):
        read_image(tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match="is a folder and one image file was expected"):
        read_image(tmp_path)
