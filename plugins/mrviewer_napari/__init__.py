"""The napari front end: panel, tiles, reader and sample data. It translates between core and screen, no more."""
