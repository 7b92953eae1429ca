"""Results to files, each written whole or not at all."""

from mrviewer.writers.nifti import write_volume
from mrviewer.writers.whole import whole_file

__all__ = ["whole_file", "write_volume"]
