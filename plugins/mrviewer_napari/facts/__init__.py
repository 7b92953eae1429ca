"""What is known of a scan, its methods and its masks, as values and texts. No Qt."""
