"""Raw data of scanners: k-space slice by slice, its sampling, its coils, and the image that it makes.

Readers turn their files into a `KspaceSource`, and that into raw data and an image.
"""

from mrviewer.raw.cartesian import CartesianRawData, KspaceSource
from mrviewer.raw.coil_views import coil_images, coil_maps
from mrviewer.raw.magnitude import MagnitudeVolume
from mrviewer.raw.virtual_coils import with_virtual_coils

__all__ = ["CartesianRawData", "KspaceSource", "MagnitudeVolume", "coil_images", "coil_maps", "with_virtual_coils"]
