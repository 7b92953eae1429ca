"""Tables of experiments as files: which rows are trained, on what they are measured, what was published.

Packages offer folders of tables (``*.toml``) under the entry-point group ``mrviewer.tables``; a table may also be a
file of one's own. ``docs/reproduction.md`` describes the format.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from mrviewer.errors import FileFormatError, InputError, UnknownNameError
from mrviewer.experiments.metrics import METRICS

__all__ = ["Condition", "Row", "Table", "list_tables", "open_tables", "read_table"]

ENTRY_POINT_GROUP = "mrviewer.tables"

Record = TypeVar("Record", "Condition", "Row", "Table")


@dataclass(frozen=True)
class Condition:
    """On what, and how, a trained row is measured.

    Parameters
    ----------
    name
        Short name; figures of a table with several conditions are called ``name/metric``.
    title
        What it is, in words.
    database
        Test subjects; see `mrviewer.database.open_database`.
    modality
        Image that is measured; empty for FLAIR, or the first.
    modality_sets
        Images that the method may see, measured once for each set and averaged; empty for all that there are. The
        first of a set that the method was made for is the measured one.
    mask, acceleration, center_fraction
        See `mrviewer.sampling.make_mask`; the mask ``own`` is the one that the row learned.
    coarsen
        Pixels merged along y and along x.
    every
        Take every so-many-th slice.
    """

    name: str = ""
    title: str = ""
    database: tuple[str, ...] = ()
    modality: str = ""
    modality_sets: tuple[tuple[str, ...], ...] = ()
    mask: str = "random"
    acceleration: float = 4.0
    center_fraction: float = 0.08
    coarsen: int = 1
    every: int = 1

    def column(self, metric: str) -> str:
        """Name of the column with a metric of this condition."""
        return f"{self.name}/{metric}" if self.name else metric


@dataclass(frozen=True)
class Row:
    """One line of a table: a method, how it is trained, how it is measured.

    Parameters
    ----------
    name, title
        Short name, and what it is in words.
    method
        Name of a method that can be trained.
    database
        Training subjects.
    options
        Of the recipe, as they are typed after ``--set``.
    conditions
        What it is measured on.
    published, published_spread
        Figures of the paper by column, and their deviations where it prints them.
    """

    name: str
    title: str
    method: str
    database: tuple[str, ...]
    options: Mapping[str, str]
    conditions: tuple[Condition, ...]
    published: Mapping[str, float] = field(default_factory=dict)
    published_spread: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Rows that are held against one another.

    Parameters
    ----------
    name, title
        Name of the file, and what the table is about.
    source
        Where the published figures or the claim stand.
    published_on
        What the published figures were measured on; empty if none were published.
    claim
        What the source says, in one sentence.
    paper_scale
        What training at the published size would need.
    headline
        Row that the others are compared with: what the source proposes.
    metrics
        Figures of each condition, see `mrviewer.experiments.metrics.METRICS`.
    rows
        In the order of the source.
    claimed
        Metrics in which the headline is said to be better than every other row, where no figures were published.
    correlate
        Two columns whose rank correlation over subjects is told; empty for none.
    published_correlation
        What the source says of it.
    notes
        Sentences that a reader needs to understand the table.
    order
        Place on the page.
    """

    name: str
    title: str
    source: str
    claim: str
    paper_scale: str
    headline: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    claimed: tuple[str, ...] = ()
    published_on: str = ""
    correlate: tuple[str, ...] = ()
    published_correlation: float | None = None
    notes: tuple[str, ...] = ()
    order: int = 0

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What the rows are measured on; a row may change how, but not which."""
        return self.rows[0].conditions

    @property
    def columns(self) -> tuple[str, ...]:
        """Every metric of every condition."""
        return tuple(one.column(metric) for one in self.conditions for metric in self.metrics)

    def row(self, name: str) -> Row:
        """Return a row by name."""
        for row in self.rows:
            if row.name == name:
                return row
        raise UnknownNameError(f"table {self.name} has no row {name!r}; it has {', '.join(r.name for r in self.rows)}")

    def with_options(self, options: Mapping[str, str]) -> "Table":
        """Return the same table with options of every row replaced."""
        rows = tuple(replace(row, options={**row.options, **options}) for row in self.rows)
        return replace(self, rows=rows)


def list_tables() -> list[Table]:
    """All tables that installed packages offer, in the order of the page."""
    folders = [Path(point.load()) for point in entry_points(group=ENTRY_POINT_GROUP)]
    tables = [read_table(path) for folder in folders for path in sorted(folder.glob("*.toml"))]
    return sorted(tables, key=lambda table: (table.order, table.name))


def open_tables(names: tuple[str, ...]) -> list[Table]:
    """Tables by name, or from files that end in ``.toml``; all installed ones if nothing is named.

    Raises
    ------
    UnknownNameError
        If no installed package offers a table of that name.
    """
    installed = {table.name: table for table in list_tables()}
    chosen = []
    for name in names or tuple(installed):
        if name.endswith(".toml"):
            chosen.append(read_table(Path(name)))
        elif name in installed:
            chosen.append(installed[name])
        else:
            raise UnknownNameError(
                f"there is no table {name!r}; there are {', '.join(installed)}, or give a .toml file"
            )
    return chosen


def read_table(path: Path) -> Table:
    """Read a table from its file.

    Raises
    ------
    FileFormatError
        If the file is no TOML, or something in it is missing or unknown; the message names it.
    """
    text = _load(path)
    if like := text.pop("like", ""):
        text = _merged(_load(path.with_name(f"{like}.toml")), text)
    training, evaluation = text.pop("training", {}), text.pop("evaluation", {})
    shared = evaluation.pop("conditions", [{}])
    conditions = [_make(path, Condition, {**evaluation, **one}) for one in shared]
    rows = tuple(_row(path, one, training, conditions) for one in text.pop("row", []))
    table = _make(path, Table, {**text, "name": path.stem, "rows": rows})
    _require(table, path)
    return table


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise FileFormatError(f"table {path.name} cannot be read ({error}); give a table as a TOML file") from error


def _merged(like: Mapping[str, Any], text: Mapping[str, Any]) -> dict[str, Any]:
    """Train and measure as another table does, but for what is said here."""
    training, changed = like.get("training", {}), text.get("training", {})
    options = {**training.get("options", {}), **changed.get("options", {})}
    evaluation = {**like.get("evaluation", {}), **text.get("evaluation", {})}
    return {**text, "training": {**training, **changed, "options": options}, "evaluation": evaluation}


def _row(path: Path, text: dict[str, object], training: Mapping[str, object], conditions: list[Condition]) -> Row:
    merged = {**{name: value for name, value in training.items() if name != "options"}, **text}
    options = {**_mapping(training.get("options")), **_mapping(text.get("options"))}
    changes = {name: _frozen(value) for name, value in _mapping(merged.pop("evaluation", None)).items()}
    if unknown := sorted(set(changes) - {item.name for item in fields(Condition)}):
        raise FileFormatError(f"table {path.name} sets {unknown[0]!r} of a condition, which does not exist; remove it")
    merged["options"] = {name: _typed(value) for name, value in options.items()}
    merged["conditions"] = tuple(replace(one, **changes) for one in conditions)  # type: ignore[arg-type]
    return _make(path, Row, {"title": text.get("name"), **merged})


def _make(path: Path, kind: type[Record], values: Mapping[str, object]) -> Record:
    known = {item.name for item in fields(kind)}
    if unknown := sorted(set(values) - known):
        raise FileFormatError(f"table {path.name} sets {unknown[0]!r}, which does not exist; remove it")
    try:
        return kind(**{name: _frozen(value) for name, value in values.items()})  # type: ignore[arg-type]
    except TypeError as error:
        missing = str(error).partition("argument")[2].strip(" s:") or str(error)
        raise FileFormatError(f"a {kind.__name__.lower()} of table {path.name} lacks {missing}; add it") from error


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}


def _frozen(value: object) -> object:
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value


def _typed(value: object) -> str:
    """Spell an option as one types it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(_typed, value)) if isinstance(value, list) else str(value)


def _require(table: Table, path: Path) -> None:
    if not table.rows:
        raise FileFormatError(f"table {path.name} has no row; add one")
    names = [row.name for row in table.rows]
    if len(set(names)) < len(names):
        raise FileFormatError(f"table {path.name} has two rows of one name; rename one")
    if table.headline not in names:
        raise FileFormatError(f"table {path.name} compares with row {table.headline!r}, which it lacks; name another")
    if unknown := sorted({*table.metrics, *table.claimed} - set(METRICS)):
        raise FileFormatError(f"table {path.name} asks for {unknown[0]!r}; there are {', '.join(METRICS)}")
    for row in table.rows:
        if foreign := sorted(set(row.published) - set(table.columns)):
            raise FileFormatError(f"row {row.name} of {path.name} publishes {foreign[0]!r}, which is no column; add it")
        if not all(one.database for one in row.conditions):
            raise InputError(f"row {row.name} of {path.name} is measured on nothing; name a database of test subjects")
