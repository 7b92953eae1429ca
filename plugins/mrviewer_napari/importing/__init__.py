"""Opening what is not opened by its name alone: a choice of DICOM series, arrays whose axes somebody must tell."""
