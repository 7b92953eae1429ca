"""From files to a study: one module per format, and the search for the images of one subject in a folder.

`open_study` is what most callers want; `read_image` opens one file. A format is added by a module with a function
``read(path, modality) -> FileContents`` and one line in `mrviewer.readers.formats`.
"""

from mrviewer.names.image_names import guess_modality
from mrviewer.readers.opening import open_study, read_image

__all__ = ["guess_modality", "open_study", "read_image"]
