"""A tiny model of one's own, for runs from the panel that take seconds."""

from pathlib import Path

from finetuning_cases import make_weights

from mrviewer.methods.own import add_model

__all__ = ["TINY", "make_tiny_model"]

TINY = "tiny"


def make_tiny_model(database: Path, output: Path) -> None:
    """Put a `unet-full` that has learned for one step among one's own models."""
    add_model(make_weights(output, database), TINY)
