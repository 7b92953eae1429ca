"""From what stands on a command line to the subjects of one or several databases."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from mrviewer.database.corrected import with_corrections
from mrviewer.database.found import FoundSubject
from mrviewer.database.image_files import list_files
from mrviewer.database.layouts.find import find_subjects
from mrviewer.database.mapped import MappedSubject
from mrviewer.database.mapping import DatabaseMapping
from mrviewer.database.proposal import map_by_names, wanted_modalities
from mrviewer.database.simulated import Simulation, parse_simulation
from mrviewer.database.subjects import Subject
from mrviewer.database.surveying.across_subjects import find_duplicates
from mrviewer.errors import FileFormatError, InputError
from mrviewer.files.checksums import content_signature
from mrviewer.method import Needs
from mrviewer.plain_text import shortened

__all__ = ["open_database"]

_logger = logging.getLogger(__name__)

_READING = 2
"""Counted up when files are laid over each other in another way, so that nothing prepared before is used again."""


def open_database(
    specifications: Sequence[str], mapping: DatabaseMapping | None = None, *, needs: Needs | None = None
) -> list[Subject]:
    """List the subjects of one or several databases, without reading them.

    Parameters
    ----------
    specifications
        Each a folder, a ``dataset.json``, a table, or ``KIND:COUNT[@FIRST_SEED]`` of simulated patients, which are
        what they are whatever the mapping says.
    mapping
        What channels and labels mean. With `None` a folder of one sub-folder a subject is opened as the viewer opens
        each sub-folder, with labels as they are in the file; any other database by the names of its channels, with
        every label as class 1.
    needs
        Of a method. Where there is no mapping, each database gets that which names propose for the method, and copies
        of images within it are left out.

    Raises
    ------
    InputError
        If a database is missing or empty, two subjects have one name, or the mapping fits none of the subjects.
    FileFormatError
        If a description or a table cannot be read.
    """
    subjects: list[Subject] = []
    for text in specifications:
        simulation = parse_simulation(text)
        subjects += _simulated(simulation) if simulation is not None else _real(Path(text), mapping, needs)
    names = [subject.name for subject in subjects]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"two subjects are called {twice[0]!r}; rename one of the folders")
    if mapping is None:
        return subjects
    kept = [subject for subject in subjects if subject.name not in mapping.excluded]
    if not kept:
        given = shortened(", ".join(Path(text).name for text in specifications))
        raise InputError(f"the mapping excludes every subject of {given}; leave some in")
    return kept


def _simulated(simulation: Simulation) -> list[Subject]:
    return [
        Subject(simulation.name(seed), simulation.loader(seed), seed, simulation.kind, labelled=True)
        for seed in simulation.seeds
    ]


def _real(path: Path, mapping: DatabaseMapping | None, needs: Needs | None) -> list[Subject]:
    found: Sequence[FoundSubject] = with_corrections(find_subjects(path).subjects)
    name = path.resolve().parent.name if path.suffix.lower() == ".json" else path.name
    if mapping is None and needs is not None:
        mapping = replace(map_by_names(found, wanted_modalities(needs)), excluded=_copies(found))
        found = [each for each in found if each.name not in mapping.excluded]
    if mapping is None:
        by_names = map_by_names(found)
        return [
            _mapped(each, by_names, name) if each.folder is None else _as_viewed(each, each.folder, name)
            for each in found
        ]
    _require_sources(found, mapping, name)
    return [_mapped(each, mapping, name) for each in found if mapping.channels_of(each.channels)]


def _copies(found: Sequence[FoundSubject]) -> tuple[str, ...]:
    """Subjects that hold an image of another one; files that cannot be read are copies of none."""
    signatures: dict[str, dict[str, str]] = {each.name: {} for each in found}
    for each in found:
        for channel, path in each.channels.items():
            with suppress(FileFormatError):
                signatures[each.name][channel] = f"{content_signature(path)}#{each.frames.get(channel, 0)}"
    duplicates = find_duplicates(found, signatures)
    for odd in duplicates:
        _logger.warning(odd.message)
    return tuple(odd.subject for odd in duplicates)


def _as_viewed(found: FoundSubject, folder: Path, database: str) -> Subject:
    """A subject that has a folder to itself, opened as the viewer opens folders."""
    from mrviewer.readers import open_study

    fingerprint = _fingerprint(list_files(folder), {})
    return Subject(found.name, partial(open_study, [folder]), None, database, found.patient, fingerprint)


def _mapped(found: FoundSubject, mapping: DatabaseMapping, database: str) -> Subject:
    modalities = mapping.channels_of(found.channels)
    label = found.labels.get(mapping.label) if mapping.label is not None else None
    opened = MappedSubject(
        found.name,
        {modality: found.channels[channel] for modality, channel in modalities.items()},
        {modality: found.frames[channel] for modality, channel in modalities.items() if channel in found.frames},
        label,
        dict(mapping.label_values),
        mapping.voxel_mm,
    )
    files = [*opened.channels.values(), *([] if label is None else [label])]
    told = asdict(opened) | {"channels": list(opened.channels), "label": label is not None}
    return Subject(
        found.name, opened, None, database, found.patient, _fingerprint(files, told), labelled=label is not None
    )


def _require_sources(found: Sequence[FoundSubject], mapping: DatabaseMapping, name: str) -> None:
    """Refuse a mapping of which nothing is in the database."""
    if not any(mapping.channels_of(each.channels) for each in found):
        channels = ", ".join(dict.fromkeys(channel for each in found for channel in each.channels))
        raise InputError(f"the mapping names no channel of the database {name!r}; it has {channels}")
    labels = dict.fromkeys(label for each in found for label in each.labels)
    if mapping.label is not None and mapping.label not in labels:
        there = ", ".join(labels) or "none"
        raise InputError(f"the database {name!r} has no labels {mapping.label!r}; choose among: {there}")


def _fingerprint(paths: Sequence[Path], mapping: Mapping[str, object]) -> str:
    """Of sizes and times of files, and of what is made of them; a file that is gone counts as such."""
    told = []
    for path in paths:
        try:
            status = path.stat()
            told.append([path.name, status.st_size, status.st_mtime_ns])
        except OSError:
            told.append([path.name, -1, -1])
    text = json.dumps([_READING, told, mapping], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
