"""Training data: subjects prepared once, slices kept on disk, and batches drawn from them."""
