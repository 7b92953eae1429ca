"""What names tell: of files, series, labels, visits and versions of an image; and the names of lesions in DICOM."""
