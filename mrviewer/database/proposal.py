"""What the channels and labels of a database may mean, guessed from their names; a person may change it."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from mrviewer.database.corrected import CORRECTIONS
from mrviewer.database.found import FoundSubject
from mrviewer.database.image_files import words_of
from mrviewer.database.mapping import DatabaseMapping
from mrviewer.database.survey import Survey, SurveyedSubject
from mrviewer.method import Needs
from mrviewer.names.image_names import guess_modality, label_rank
from mrviewer.names.label_words import LabelKind, label_kind
from mrviewer.names.pairing import drawn_on
from mrviewer.names.versions import preferred_version, version_of

__all__ = ["map_by_names", "propose_mapping", "wanted_modalities"]

_FUSED = re.compile("fused|fusion|consensus|staple")
_IGNORED = "ignore"
"""What nnU-Net calls a label value of voxels that nobody drew anything in."""
_LIKELIEST = "T1"
"""Of images whose names tell nothing; the contrast that most databases of anatomy have."""


def propose_mapping(survey: Survey, needs: Needs | None = None) -> DatabaseMapping:
    """Propose what a person may then change.

    Parameters
    ----------
    survey
        What is known of the database.
    needs
        Of the method that is to learn; an image whose name tells no modality is taken for one that the method knows.

    Returns
    -------
    Modalities by name, the label source that most subjects have (with corrections, where there are some), every value
    above 0 as class 1 but for one that nnU-Net ignores, and copies excluded.
    """
    n_values = {source: len(values) for source, values in survey.values_by_label.items()}
    by_names = map_by_names(survey.subjects, () if needs is None else wanted_modalities(needs), n_values)
    label = by_names.label
    values = survey.values_by_label.get(label or "", {})
    return DatabaseMapping(
        by_names.modalities,
        label,
        {0: 0, **{value: int(name.lower() != _IGNORED) for value, name in values.items()}} if label is not None else {},
        tuple(sorted({odd.subject for odd in survey.oddities if odd.kind == "duplicate" and odd.subject})),
    )


def map_by_names(
    subjects: Sequence[SurveyedSubject] | Sequence[FoundSubject],
    wanted: Sequence[str] = (),
    n_values: Mapping[str, int] = MappingProxyType({}),
) -> DatabaseMapping:
    """Modalities and label source by names alone.

    Parameters
    ----------
    subjects
        Of one database.
    wanted
        Modalities that the method knows, if one was chosen.
    n_values
        How many values were seen in each label source, where pixels were looked at.
    """
    names = dict.fromkeys(name for subject in subjects for name in subject.channels)
    held = {name: {subject.name for subject in subjects if name in subject.channels} for name in names}
    label = _label(subjects, n_values)
    versions = {name: version_of([path.parent.name]) for subject in subjects for name, path in subject.channels.items()}
    return DatabaseMapping(_modalities(held, wanted, label or "", versions), label)


def wanted_modalities(needs: Needs) -> tuple[str, ...]:
    """Every modality that a method knows: those that it measures, and those that it looks at beside them."""
    return tuple(dict.fromkeys((*needs.modalities, *needs.companions)))


def _modalities(
    held: Mapping[str, set[str]], wanted: Sequence[str], label: str, versions: Mapping[str, str]
) -> dict[str, str]:
    """Modality by channel; of two of one modality in one study that which labels are of by name, else the commoner."""
    guesses = {name: guess_modality(name) for name in held}
    if all(guess == "unknown" for guess in guesses.values()):
        guesses |= _for_untold(held, wanted)
    alike: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, guess in guesses.items():
        alike.setdefault(guess, {})[name] = words_of(name)
    drawn = {name for group in alike.values() for name in drawn_on(words_of(label), group)}
    owners: dict[str, set[str]] = {}
    modalities = dict.fromkeys(held, "")
    version = preferred_version(versions.values())

    def order(name: str) -> tuple[bool, bool, int, int, str]:
        return name not in drawn, bool(version) and versions[name] != version, -len(held[name]), len(name), name

    for name in sorted(held, key=order):
        guess = guesses[name]
        if guess != "unknown" and not owners.setdefault(guess, set()) & held[name]:
            modalities[name] = guess
            owners[guess] |= held[name]
    return modalities


def _for_untold(held: Mapping[str, set[str]], wanted: Sequence[str]) -> dict[str, str]:
    """Where no name tells anything: one channel as a modality that the method knows, or under their own names."""
    if len(held) > 1 or not wanted:
        return {name: name for name in held}
    return dict.fromkeys(held, _LIKELIEST if _LIKELIEST in wanted else wanted[0])


def _label(subjects: Sequence[SurveyedSubject] | Sequence[FoundSubject], n_values: Mapping[str, int]) -> str | None:
    """Source of the most labels that somebody may have drawn lesions in, else of predictions, else of anatomy.

    Of as many: corrected ones first, then fusions, then those of few values and of sure names. The mask of a brain is
    none of them.
    """
    counts: dict[str, int] = {}
    fused: set[str] = set()
    for source, path in (item for subject in subjects for item in subject.labels.items()):
        counts[source] = counts.get(source, 0) + 1
        if _FUSED.search(f"{path.parent.name}/{path.name}".lower()):
            fused.add(source)

    def order(source: str) -> tuple[int, int, bool, bool, int, int, str]:
        rank = label_rank(source)
        doubt = 99 if rank is None else rank
        is_corrected = source.startswith(CORRECTIONS)
        return (
            _KINDS.index(_kind(source)),
            -counts[source],
            not is_corrected,
            source not in fused,
            n_values.get(source, 0),
            doubt,
            source,
        )

    return min((source for source in counts if _kind(source) is not LabelKind.BRAIN), key=order, default=None)


_KINDS = (LabelKind.LESIONS, LabelKind.MACHINE, LabelKind.ANATOMY)


def _kind(source: str) -> LabelKind:
    """What a source is of; it holds labels, whether its name says so or a folder of files that are called ``brain``."""
    if source.startswith(CORRECTIONS):
        return LabelKind.LESIONS
    return label_kind(source) or label_kind(f"{source} mask") or LabelKind.LESIONS
