"""Results to files, each written whole or not at all."""

from mrviewer.files.whole_file import whole_file
from mrviewer.writers.nifti import write_volume

__all__ = ["whole_file", "write_volume"]
