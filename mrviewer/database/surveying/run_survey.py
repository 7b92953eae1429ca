"""Looking at a database for seconds: names and headers of all, pixels of a few."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mrviewer.database.corrected import unreadable_corrections, with_corrections
from mrviewer.database.found import FoundDatabase
from mrviewer.database.layouts.find import find_subjects
from mrviewer.database.simulated import Simulation, parse_simulation
from mrviewer.database.survey import Oddity, Survey, SurveyedSubject
from mrviewer.database.surveying.across_subjects import compare_subjects, find_duplicates
from mrviewer.database.surveying.headers import SubjectHeaders, read_headers
from mrviewer.database.surveying.samples import Samples, sample_pixels
from mrviewer.errors import InputError
from mrviewer.progress import Progress

__all__ = ["survey_database"]


def survey_database(specification: str | Path) -> Generator[Progress, None, Survey]:
    """Say what a database holds and what is odd about it.

    Names and headers of all files are read, and pixels of a bounded number of them, so that it takes seconds.

    Parameters
    ----------
    specification
        Folder, ``dataset.json``, table, or ``KIND:COUNT[@FIRST_SEED]`` of simulated patients.

    Raises
    ------
    InputError
        If there is no such database, nothing in it opens, or its folder vanishes.
    FileFormatError
        If its description or table cannot be read.
    """
    simulation = parse_simulation(str(specification))
    if simulation is not None:
        return (yield from _survey_simulation(simulation, str(specification)))
    path = Path(specification)
    found = find_subjects(path)
    headers: list[SubjectHeaders] = []
    for number, each in enumerate(with_corrections(found.subjects)):
        headers.append(read_headers(each))
        yield Progress(number + 1, len(found.subjects), f"headers of {each.name}")
    if not path.exists():
        raise InputError(f"the database {path.name!r} is gone; connect the disk again and try once more")
    subjects = [header.subject for header in headers if header.subject is not None]
    if not subjects:
        first = next(odd.message for header in headers for odd in header.oddities)
        raise InputError(f"nothing in the database {path.name!r} opens; the first reason is: {first}")
    samples = yield from sample_pixels(subjects)
    skipped = tuple(each.name for each, header in zip(found.subjects, headers, strict=True) if header.subject is None)
    return _summary(found, headers, subjects, samples, skipped)


def _summary(
    found: FoundDatabase,
    headers: Sequence[SubjectHeaders],
    subjects: Sequence[SurveyedSubject],
    samples: Samples,
    skipped: tuple[str, ...],
) -> Survey:
    """Put together what names, headers and pixels tell."""
    channels, labels = _names(each.channels for each in subjects), _names(each.labels for each in subjects)
    signatures = {header.subject.name: header.signatures for header in headers if header.subject is not None}
    duplicates = {odd.subject: odd for odd in find_duplicates(subjects, samples.signatures)}
    duplicates |= {odd.subject: odd for odd in find_duplicates(subjects, signatures)}
    oddities = [
        *found.oddities,
        *unreadable_corrections(found.subjects),
        *compare_subjects(subjects, channels, labels, samples, found.label_names),
        *duplicates.values(),
        *(odd for header in headers for odd in header.oddities),
        *samples.oddities,
    ]
    return Survey(
        found.path,
        found.layout,
        tuple(_with_oddities(subject, oddities) for subject in subjects),
        tuple(dict.fromkeys(oddities)),
        channels,
        labels,
        _values(labels, samples, found.label_names),
        skipped,
        samples.in_words,
    )


def _names(sources: Iterable[Mapping[str, Path]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for source in sources for name in source))


def _with_oddities(subject: SurveyedSubject, oddities: Sequence[Oddity]) -> SurveyedSubject:
    return replace(subject, oddities=tuple(dict.fromkeys(odd for odd in oddities if odd.subject == subject.name)))


def _values(labels: Sequence[str], samples: Samples, names: Mapping[int, str]) -> dict[str, dict[int, str]]:
    """Values of each source that were seen or are described, with their names; background is none."""
    return {
        source: {
            value: names.get(value, "") for value in sorted((samples.values.get(source, set()) | set(names)) - {0})
        }
        for source in labels
    }


def _survey_simulation(simulation: Simulation, specification: str) -> Generator[Progress, None, Survey]:
    """Simulate the first patient; the others have the same modalities and grid."""
    if not simulation.seeds:
        raise InputError(f"{specification} asks for no patient; give a number above 0")
    study = simulation.loader(simulation.seeds[0])()
    yield Progress(1, 1, f"simulated {simulation.name(simulation.seeds[0])}")
    geometry = study.geometry()
    names = [simulation.name(seed) for seed in simulation.seeds]
    values = sorted({int(value) for value in set(study.labels.volume().ravel().tolist())} - {0}) if study.labels else []
    return Survey(
        Path(specification),
        "simulated",
        tuple(
            SurveyedSubject(
                name, name, dict.fromkeys(study.modalities, Path(name)), {"labels": Path(name)},
                geometry.shape, geometry.voxel_size_mm, signature=name,
            )
            for name in names
        ),
        (),
        study.modalities,
        ("labels",),
        {"labels": dict.fromkeys(values, "")},
        (),
        "the first patient was simulated; all have its modalities and grid",
    )  # fmt: skip
