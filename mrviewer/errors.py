"""What can go wrong, as a tree.

    MrviewerError
    ├── InputError(ValueError)         the user gave something that cannot be used
    │   ├── FileFormatError            a file is damaged, or not what its name says
    │   ├── MaskError                  an array or a setting that is no sampling mask
    │   ├── ShapeError                 two arrays that must fit each other do not
    │   └── UnknownNameError(KeyError) a method, mask or modality of that name does not exist
    ├── DoesNotFitError(ValueError)    a method cannot be run on this study; the message says why
    └── WeightsError(RuntimeError)     trained weights are missing, damaged or of another architecture

A message is one sentence: what came, what was expected, what to do.
"""

__all__ = [
    "DoesNotFitError",
    "FileFormatError",
    "InputError",
    "MaskError",
    "MrviewerError",
    "ShapeError",
    "UnknownNameError",
    "WeightsError",
]


class MrviewerError(Exception):
    """Root of everything this program raises on purpose."""


class InputError(MrviewerError, ValueError):
    """The user gave something that cannot be used."""


class FileFormatError(InputError):
    """A file is damaged, or is not what its name says."""


class MaskError(InputError):
    """An array or a setting that is no sampling mask."""


class ShapeError(InputError):
    """Two arrays that must fit each other do not."""


class UnknownNameError(InputError, KeyError):
    """A method, mask or modality of that name does not exist."""

    def __str__(self) -> str:
        # KeyError would print the message in quotation marks.
        return str(self.args[0]) if self.args else ""


class DoesNotFitError(MrviewerError, ValueError):
    """A method cannot be run on this study; the message says why."""


class WeightsError(MrviewerError, RuntimeError):
    """Trained weights are missing, damaged, or belong to another architecture."""
