"""DICOM files: which to look at, and their elements, headers and tags."""
