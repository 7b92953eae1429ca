"""Export: what of a study and its results leaves the viewer, in which files, and where to."""
