"""How good an image, a segmentation or a regressed value is, and the one list of what each number is called."""
