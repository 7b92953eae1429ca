"""The picture side: tiles in one napari canvas, their layers, captions and camera."""
