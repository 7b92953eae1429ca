"""What a file is whose name says something else: known by its first bytes, told in the refusal."""

__all__ = ["BLOCK", "NIFTI", "NPY_MAGIC", "told_by_content"]

BLOCK = 540
"""Bytes that have to be looked at."""
NPY_MAGIC = b"\x93NUMPY"
NIFTI = "a NIfTI file; give it the ending .nii"

_MAGIC = (
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file; give it the ending .h5"),
    (0, NPY_MAGIC, "a NumPy array; give it the ending .npy"),
    (0, b"PK\x03\x04", "a zip; give it the ending .zip"),
    (0, b"MATLAB 5.0", "a MATLAB file; give it the ending .mat"),
    (0, b"%PDF", "a PDF document, not an image; give the image itself"),
    (0, b"\x89PNG", "a PNG picture, not an MR image; give the DICOM or NIfTI file that it was made of"),
    (0, b"\xff\xd8\xff", "a JPEG picture, not an MR image; give the DICOM or NIfTI file that it was made of"),
    (128, b"DICM", "a DICOM file; give it the ending .dcm"),
    (344, b"n+1\0", NIFTI),
    (4, b"n+2\0", NIFTI),
    (0, b"\x1f\x8b", "compressed with gzip; unpack it, or give it the ending .nii.gz if it is NIfTI"),
)
_LONGEST_CHARACTER = 4
"""Bytes of UTF-8."""


def told_by_content(block: bytes) -> str:
    """Say what the first bytes of a file (`BLOCK` of them) are of, and what to do; empty where they tell nothing."""
    for place, magic, words in _MAGIC:
        if block[place : place + len(magic)] == magic:
            return words
    if block.lstrip()[:1] == b"<":
        return "a web page or XML, not an image; download the image itself"
    return "a text file, not an image; check what it is" if _is_text(block) else ""


def _is_text(block: bytes) -> bool:
    """Whether bytes are text in UTF-8; the last character may be cut."""
    for cut in range(_LONGEST_CHARACTER):
        try:
            text = block[: len(block) - cut].decode()
        except UnicodeDecodeError:
            continue
        return bool(text) and all(letter.isprintable() or letter.isspace() for letter in text)
    return False
