"""What is asked and shown while a study opens: series, axes of arrays, progress."""
