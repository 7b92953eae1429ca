"""What is odd about a database as a whole: subjects held against one another."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mrviewer.database.corrected import CORRECTIONS
from mrviewer.database.found import FoundSubject
from mrviewer.database.survey import Oddity, SurveyedSubject
from mrviewer.database.surveying.samples import Samples
from mrviewer.names.image_names import guess_modality

__all__ = ["compare_subjects", "find_duplicates"]

_WIDE_RANGE = 100.0
"""Scanners differ by a factor of ten; beyond a hundred units or conversions differ."""


def compare_subjects(
    subjects: Sequence[SurveyedSubject],
    channels: Sequence[str],
    labels: Sequence[str],
    samples: Samples,
    label_names: Mapping[int, str],
) -> list[Oddity]:
    """What is odd about a database as a whole.

    Parameters
    ----------
    subjects
        All that open.
    channels, labels
        Names of all source channels and label sources.
    samples
        What the pixels of some tell.
    label_names
        Names that the database gives to values of its labels; empty if it gives none.
    """
    return [
        *_few_patients(subjects),
        *_missing_labels(subjects, labels),
        *_missing_channels(subjects, channels),
        *_sizes(subjects),
        *_brightness(samples),
        *_undescribed(samples, label_names),
    ]


def find_duplicates(
    subjects: Sequence[SurveyedSubject] | Sequence[FoundSubject], signatures: Mapping[str, Mapping[str, str]]
) -> list[Oddity]:
    """Subjects that hold an image that an earlier one holds too; the one with labels counts as the earlier.

    Parameters
    ----------
    subjects
        All that open.
    signatures
        Of the content of images, by subject and channel.
    """
    holders: dict[str, SurveyedSubject | FoundSubject] = {}
    told: dict[str, Oddity] = {}
    ordered: list[SurveyedSubject | FoundSubject] = sorted(subjects, key=lambda each: (not each.labels, each.name))
    for subject in ordered:
        for channel, signature in signatures.get(subject.name, {}).items():
            first = holders.setdefault(signature, subject)
            if first is not subject and subject.name not in told:
                message = (
                    f"{subject.name} holds the same image as {first.name} ({channel}); it is left out, since a copy "
                    "in training would be known in validation"
                )
                told[subject.name] = Oddity(subject.name, "duplicate", message)
    return list(told.values())


def _few_patients(subjects: Sequence[SurveyedSubject]) -> Iterable[Oddity]:
    patients = {subject.patient for subject in subjects}
    if len(patients) == 1:
        message = "all studies are of one patient, and a split needs two: one to train on and one to validate"
        yield Oddity("", "one-patient", message)


def _missing_labels(subjects: Sequence[SurveyedSubject], labels: Sequence[str]) -> Iterable[Oddity]:
    if not labels:
        yield Oddity("", "missing-label", "no subject has labels; only methods that reconstruct can learn from them")
        return
    for subject in subjects:
        if not subject.labels:
            message = f"{subject.name} has no labels and teaches nothing to a method that segments"
            yield Oddity(subject.name, "missing-label", message, True)
    counts = Counter(source for subject in subjects for source in subject.labels)
    main = max(counts, key=lambda source: counts[source])
    for subject in subjects:
        if subject.labels and main not in subject.labels and CORRECTIONS not in subject.labels:
            others = ", ".join(map(repr, subject.labels))
            message = f"{subject.name} has no labels {main!r} as others have, but {others}; one source alone is used"
            yield Oddity(subject.name, "missing-label", message)


def _missing_channels(subjects: Sequence[SurveyedSubject], channels: Sequence[str]) -> Iterable[Oddity]:
    for channel in channels:
        without = [subject.name for subject in subjects if channel not in subject.channels]
        if without:
            message = f"{len(without)} of {len(subjects)} subjects have no {channel}: {_some(without)}"
            yield Oddity("", "missing-modality", message)
        if guess_modality(channel) == "unknown":
            message = f"no name tells the modality of the channel {channel!r}; say what it is"
            yield Oddity("", "unknown-modality", message)


def _sizes(subjects: Sequence[SurveyedSubject]) -> Iterable[Oddity]:
    shapes = sorted({subject.shape for subject in subjects})
    voxels = sorted({tuple(round(size, 2) for size in subject.voxel_mm) for subject in subjects})
    if len(shapes) > 1:
        low = " x ".join(str(min(sizes)) for sizes in zip(*shapes, strict=True))
        high = " x ".join(str(max(sizes)) for sizes in zip(*shapes, strict=True))
        yield Oddity("", "sizes-differ", f"images have {len(shapes)} different sizes, from {low} to {high}", True)
    if len(voxels) > 1:
        yield Oddity("", "voxels-differ", f"images have {len(voxels)} different voxel sizes", True)


def _brightness(samples: Samples) -> Iterable[Oddity]:
    for channel, levels in samples.brightness.items():
        darkest, brightest = min(levels, key=lambda name: levels[name]), max(levels, key=lambda name: levels[name])
        if levels[brightest] >= _WIDE_RANGE * levels[darkest]:
            message = (
                f"the brightness of {channel} differs {levels[brightest] / levels[darkest]:,.0f}-fold, from "
                f"{levels[darkest]:.4g} ({darkest}) to {levels[brightest]:.4g} ({brightest}); every volume is scaled "
                "by itself, so that it does not matter to training"
            )
            yield Oddity("", "intensity-range", message, True)


def _undescribed(samples: Samples, label_names: Mapping[int, str]) -> Iterable[Oddity]:
    for source, values in samples.values.items():
        unknown = sorted(values - set(label_names)) if label_names else []
        if unknown:
            named = ", ".join(map(str, unknown))
            message = f"the labels {source} hold the value(s) {named}, which the description does not name"
            yield Oddity("", "label-value", message)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
