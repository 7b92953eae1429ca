"""What an image is and how it lies: alignment, voxel size, values, labels, phases, and what a study holds."""
