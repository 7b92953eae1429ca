"""K-space out of arrays of unknown axes: what sizes and values tell of each axis."""
