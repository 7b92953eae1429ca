"""DICOM: from a folder, a file, a DICOMDIR or a zip to a choice of series, and from a series to an image or labels.

`list_series` looks through the headers, `thumbnail` and `read_slice` show a picture from one file, `read_series` opens
an image whose pixels are read when somebody looks at them. `mrviewer.readers.dicom.dicom_study` opens all series of a
study for `open_study`. Names and numbers of patients are compared to keep them out of descriptions and notes, and kept
nowhere.
"""

from mrviewer.readers.dicom.files.file_search import is_dicom
from mrviewer.readers.dicom.listing import list_series
from mrviewer.readers.dicom.reading import read_series, read_slice, thumbnail
from mrviewer.readers.dicom.series import SeriesEntry

__all__ = ["SeriesEntry", "is_dicom", "list_series", "read_series", "read_slice", "thumbnail"]
