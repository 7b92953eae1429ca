"""Training: recipes run by one loop that yields progress, resumes, and evaluates on what was held out."""

from mrviewer.training.loop import cli_train

__all__ = ["cli_train"]
