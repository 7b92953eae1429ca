"""The Corrections section: painting on a copy of labels, and saving it."""
