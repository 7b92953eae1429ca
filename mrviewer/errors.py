"""What can go wrong, as a tree.

    MrviewerError
    ├── InputError(ValueError)         the user gave something that cannot be used
    │   ├── FileFormatError            a file is damaged, or not what its name says
    │   ├── MaskError                  an array or a setting that is no sampling mask
    │   ├── ShapeError                 two arrays that must fit each other do not
    │   └── UnknownNameError(KeyError) a method, mask or modality of that name does not exist
    ├── DoesNotFitError(ValueError)    a method cannot be run on this study; the message says why
    ├── WeightsError(RuntimeError)     trained weights are missing, damaged or of another architecture
    ├── WriteError(OSError)            a file or folder cannot be written
    └── UnforeseenError(RuntimeError)  anything else, in one sentence; the log keeps where it happened

A message is one sentence: what came, what was expected, what to do.
"""

import os

from mrviewer.plain_text import one_sentence

__all__ = [
    "DoesNotFitError",
    "FileFormatError",
    "InputError",
    "MaskError",
    "MrviewerError",
    "PositionError",
    "ShapeError",
    "UnforeseenError",
    "UnknownNameError",
    "WeightsError",
    "WriteError",
]


class MrviewerError(Exception):
    """Root of everything this program raises on purpose.

    Parameters
    ----------
    message
        The sentence. Whatever it repeats of a file, it stays one line of bounded length.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(one_sentence(message))


class InputError(MrviewerError, ValueError):
    """The user gave something that cannot be used."""


class FileFormatError(InputError):
    """A file is damaged, or is not what its name says."""


class MaskError(InputError):
    """An array or a setting that is no sampling mask."""


class ShapeError(InputError):
    """Two arrays that must fit each other do not."""


class PositionError(ShapeError):
    """Labels do not lie on an image by their positions, though their matrices agree: voxel for voxel they would.

    Parameters
    ----------
    reason
        What is wrong, without a full stop.
    remedy
        How to ask for voxel for voxel, as the end of the sentence; by default by the option of the commands.
    labels
        File that was refused; `None` where it is not one that was asked for by itself.
    """

    def __init__(
        self, reason: str, remedy: str = "ask for voxel for voxel (--voxel-for-voxel)", labels: str | None = None
    ) -> None:
        super().__init__(f"{reason}, or {remedy}")
        self.reason, self.remedy, self.labels = reason, remedy, labels

    def __reduce__(self) -> tuple[type["PositionError"], tuple[str, str, str | None]]:
        return type(self), (self.reason, self.remedy, self.labels)


class UnknownNameError(InputError, KeyError):
    """A method, mask or modality of that name does not exist."""

    def __str__(self) -> str:
        # KeyError would print the message in quotation marks.
        return str(self.args[0]) if self.args else ""


class DoesNotFitError(MrviewerError, ValueError):
    """A method cannot be run on this study; the message says why."""


class WeightsError(MrviewerError, RuntimeError):
    """Trained weights are missing, damaged, or belong to another architecture."""


class WriteError(MrviewerError, OSError):
    """A file or folder cannot be written.

    Parameters
    ----------
    message
        The sentence.
    errno
        Number of the system's error, so that whoever waits for a full disk knows it.
    """

    def __init__(self, message: str, errno: int | None = None) -> None:
        super().__init__(message)
        self.errno = errno
        self.strerror = None if errno is None else os.strerror(errno)

    def __str__(self) -> str:
        # OSError would print the number of the error.
        return str(self.args[0]) if self.args else ""


class UnforeseenError(MrviewerError, RuntimeError):
    """What nobody foresaw, in one sentence; `mrviewer.system.fault_log` keeps where it happened."""
