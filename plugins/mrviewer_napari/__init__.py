"""The napari front end: panel, tiles, reader and sample data. It translates between the core and the screen, no more."""
