"""Pixels of a few subjects: label values, brightness, and images that are the same under two names."""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrviewer.database.mapped import open_contents
from mrviewer.database.survey import Oddity, SurveyedSubject
from mrviewer.errors import InputError
from mrviewer.images.image_values import label_values
from mrviewer.images.labels import labels_on_grid
from mrviewer.notes import NoteKind, as_note
from mrviewer.progress import Progress
from mrviewer.readers.contents import FileContents
from mrviewer.study import Image
from mrviewer.system.faults import guarded

__all__ = ["Samples", "sample_pixels"]

MOST_SUBJECTS = 64
MOST_VOXELS = 96_000_000
"""So that all of it takes seconds, whatever the size of the database."""
LARGEST_FILE = 32_000_000
_STRIDED = 200_000
_BRIGHT_PERCENTILE = 99.0


@dataclass(eq=False)
class Samples:
    """What the pixels of some subjects tell.

    Parameters
    ----------
    n_subjects, n_all
        How many were looked at, of how many.
    values
        Values above 0 seen in each label source, after probabilities and 255 were read as labels.
    brightness
        99th percentile of the values other than 0, in the units of the file, by channel and subject.
    signatures
        Of the pixels, by subject and channel.
    oddities
        What is odd about single files.
    """

    n_subjects: int = 0
    n_all: int = 0
    values: dict[str, set[int]] = field(default_factory=dict)
    brightness: dict[str, dict[str, float]] = field(default_factory=dict)
    signatures: dict[str, dict[str, str]] = field(default_factory=dict)
    oddities: list[Oddity] = field(default_factory=list)

    @property
    def in_words(self) -> str:
        """One sentence on how much was looked at."""
        if self.n_subjects == self.n_all:
            return f"names, headers and pixels of all {self.n_all} subjects were looked at"
        return (
            f"names and headers of all {self.n_all} subjects were looked at, pixels (label values, brightness) of "
            f"{self.n_subjects}"
        )


def sample_pixels(subjects: Sequence[SurveyedSubject]) -> Generator[Progress, None, Samples]:
    """Look at the pixels of subjects spread over the database, until enough has been read."""
    samples = Samples(n_all=len(subjects))
    chosen = _spread(subjects)
    left = MOST_VOXELS
    for number, subject in enumerate(chosen):
        cost = sum(_voxels(path) for path in {*subject.channels.values(), *subject.labels.values()})
        if cost > left and number:
            break
        left -= cost
        samples.n_subjects += 1
        for name, path in subject.labels.items():
            _look_at_labels(samples, subject.name, name, path)
        for name, path in subject.channels.items():
            _look_at_image(samples, subject, name, path)
        yield Progress(number + 1, len(chosen), f"looked at {subject.name}")
    return samples


def _spread(subjects: Sequence[SurveyedSubject]) -> list[SurveyedSubject]:
    """At most `MOST_SUBJECTS`, evenly over the list; the first ones already reach from its one end to the other."""
    count = min(len(subjects), MOST_SUBJECTS)
    places = [int(place) for place in np.linspace(0, len(subjects) - 1, count)] if count else []
    return [subjects[place] for place in (*places[::2], *reversed(places[1::2]))]


def _voxels(path: Path) -> int:
    """Voxels of all volumes of a file; 0 if it is not read here, being gone or too large."""
    try:
        images = open_contents(path, "").images
    except InputError:
        return 0
    return sum(count for image in images if (count := _count(image)) <= LARGEST_FILE)


def _count(image: Image) -> int:
    return int(np.prod(image.data.shape, dtype=np.int64))


def _read(path: Path, subject: str, samples: Samples, modality: str = "") -> FileContents | None:
    """Return an image to look at; `None` if it is too large, or damaged, which is noted."""
    try:
        with guarded(path.name, "database"):
            contents = open_contents(path, modality)
            [image] = contents.images
            if _count(image) > LARGEST_FILE:
                return None
            np.asarray(image.data)
    except InputError as error:
        samples.oddities.append(Oddity(subject, "broken-file", f"a file of {subject} cannot be read: {error}"))
        return None
    return contents


def _look_at_labels(samples: Samples, subject: str, source: str, path: Path) -> None:
    seen = samples.values.setdefault(source, set())
    contents = _read(path, subject, samples, "labels")
    if contents is None:
        return
    [image] = contents.images
    try:
        labels, note = labels_on_grid(image, image.geometry)
    except InputError as error:
        samples.oddities.append(Oddity(subject, "label-value", f"{source} of {subject} holds no labels: {error}"))
        return
    values = np.unique(labels.volume())
    seen |= {int(value) for value in values if value}
    if not values.any():
        message = f"{source} of {subject} labels nothing; it teaches what health looks like"
        samples.oddities.append(Oddity(subject, "empty-label", message, True))
    elif note:
        samples.oddities.append(Oddity(subject, "label-value", f"{source} of {subject}: {note}", True))
    for said in map(as_note, contents.notes):
        if said.kind in (NoteKind.LABELS, NoteKind.LEFT_OUT):
            samples.oddities.append(Oddity(subject, "label-value", f"{source} of {subject}: {said}", True))


def _look_at_image(samples: Samples, subject: SurveyedSubject, channel: str, path: Path) -> None:
    contents = _read(path, subject.name, samples)
    if contents is None:
        return
    [image] = contents.images
    volume = image.volume(subject.frames.get(channel, 0))
    flat = volume.ravel()
    part = flat[:: max(flat.size // _STRIDED, 1)]
    bright = _brightness(part)
    if bright is None:
        message = f"{channel} of {subject.name} is empty: all its values are the same, or none is a number"
        samples.oddities.append(Oddity(subject.name, "empty-image", message))
        return
    if label_values(volume):
        message = (
            f"{channel} of {subject.name} holds a few whole numbers only, as labels do; if it is labels, name it so, "
            "or write a table of paths with a column label"
        )
        samples.oddities.append(Oddity(subject.name, "looks-like-labels", message))
    samples.brightness.setdefault(channel, {})[subject.name] = bright
    digest = hashlib.sha256(repr((volume.shape, volume.dtype.str)).encode() + part.tobytes()).hexdigest()
    samples.signatures.setdefault(subject.name, {})[channel] = digest


def _brightness(values: NDArray[np.generic]) -> float | None:
    """High percentile of what is not 0; `None` for an image in which nothing is to be seen."""
    numbers = np.abs(values.astype(np.float64))
    numbers = numbers[np.isfinite(numbers)]
    if numbers.size == 0 or numbers.min() == numbers.max():
        return None
    return float(np.percentile(numbers[numbers > 0], _BRIGHT_PERCENTILE))
