"""Planes of DICOM images: their place, time and kind, and the values of their pixels."""
