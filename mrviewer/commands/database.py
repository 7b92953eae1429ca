"""``mrviewer database``: what a database holds, what is odd about it, and what it may mean."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mrviewer.commands.options import AsJson
from mrviewer.commands.terminal import print_json, print_table, say, watch
from mrviewer.files.json_text import json_text

if TYPE_CHECKING:
    from mrviewer.database import DatabaseMapping, Survey

__all__ = ["database"]

_MOST_ROWS = 40
_MOST_OF_A_KIND = 3


def database(
    folder: Annotated[
        str, typer.Argument(help="Folder, dataset.json, table of paths, or simulated:N.", metavar="DATABASE")
    ],
    as_json: AsJson = False,
    mapping: Annotated[
        Path | None, typer.Option(help="Write the proposed mapping to this file, to edit it.", metavar="FILE")
    ] = None,
    method: Annotated[str | None, typer.Option(help="Propose a mapping for this method.", metavar="NAME")] = None,
) -> None:
    """List the subjects of a database, what is odd about them, and what channels and labels may mean."""
    from mrviewer.database import propose_mapping, survey_database
    from mrviewer.files.whole_file import whole_file
    from mrviewer.methods.registry import get_method

    needs = None if method is None else get_method(method).card.needs
    survey = watch(survey_database(folder), "database")
    if survey is None:
        return
    proposed = propose_mapping(survey, needs)
    if mapping is not None:
        with whole_file(mapping) as temporary:
            temporary.write_text(json_text(proposed.to_json(), indent=1) + "\n", encoding="utf-8")
    if as_json:
        told = survey.to_json()
        serving = survey.serving(proposed)
        subjects = [{**each, "serving": serving[each["name"]]} for each in told["subjects"]]
        print_json({**told, "subjects": subjects, "mapping": proposed.to_json()})
    else:
        _print_subjects(survey)
        _print_oddities(survey)
        _print_mapping(survey, proposed)
    if mapping is not None:
        say(f"wrote {mapping.name}")


def _print_subjects(survey: "Survey") -> None:
    table = Table("subject", "patient", "channels", "labels", "size z y x", "voxel mm", title=_title(survey))
    for subject in survey.subjects[:_MOST_ROWS]:
        table.add_row(
            subject.name,
            subject.patient,
            ", ".join(subject.channels),
            ", ".join(subject.labels) or "-",
            " x ".join(map(str, subject.shape)),
            " x ".join(f"{size:.3g}" for size in subject.voxel_mm),
        )
    if len(survey.subjects) > _MOST_ROWS:
        table.add_row(f"and {len(survey.subjects) - _MOST_ROWS} more", *[""] * 5)
    print_table(table, to_stdout=True)


def _title(survey: "Survey") -> str:
    counted = f"{survey.name} ({survey.layout}), subjects: {len(survey.subjects)}, patients: {len(survey.patients)}"
    return f"{counted}, left out: {len(survey.skipped)}" if survey.skipped else counted


def _print_oddities(survey: "Survey") -> None:
    """A few of each kind, and how many there are."""
    if not survey.oddities:
        return
    kinds = dict.fromkeys(odd.kind for odd in sorted(survey.oddities, key=lambda odd: odd.harmless))
    table = Table("odd", "harmless", "what")
    for kind in kinds:
        same = [odd for odd in survey.oddities if odd.kind == kind]
        for odd in same[:_MOST_OF_A_KIND]:
            table.add_row(kind, "yes" if odd.harmless else "no", odd.message)
        if len(same) > _MOST_OF_A_KIND:
            table.add_row(kind, "", f"and {len(same) - _MOST_OF_A_KIND} more; --json lists all")
    print_table(table, to_stdout=True)


def _print_mapping(survey: "Survey", proposed: "DatabaseMapping") -> None:
    table = Table("in the database", "is taken as", title=survey.sampled)
    for channel, modality in proposed.modalities.items():
        table.add_row(f"channel {channel}", modality or "left out")
    table.add_row("labels", "none" if proposed.label is None else proposed.label)
    names = survey.values_by_label.get(proposed.label or "", {})
    for value, to in proposed.label_values.items():
        table.add_row(f"label {value} {names.get(value, '')}".strip(), "background" if to == 0 else f"class {to}")
    if proposed.excluded:
        table.add_row("left out", ", ".join(proposed.excluded))
    print_table(table, to_stdout=True)
