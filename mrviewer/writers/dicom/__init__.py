"""Results as DICOM: segmentations and derived series, beside the series that they belong to."""
