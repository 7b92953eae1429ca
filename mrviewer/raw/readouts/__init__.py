"""K-space out of readouts: the header of ISMRMRD, positions, completeness, and assembly into slices."""
