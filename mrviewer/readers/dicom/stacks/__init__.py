"""From the planes of a DICOM series to volumes: which belong together, in which order, and where they lie."""
