"""Tables of experiments as files.

Packages offer folders of tables (``*.toml``) under the entry-point group ``mrviewer.tables``; a table may also be a
file of one's own. ``docs/reproduction.md`` describes the format.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from mrviewer.errors import FileFormatError, UnknownNameError
from mrviewer.experiments.tables import Condition, Row, Table
from mrviewer.metrics.metric_list import METRICS_BY_KEY
from mrviewer.plain_text import shortened

__all__ = ["list_tables", "open_tables", "read_table"]

ENTRY_POINT_GROUP = "mrviewer.tables"

Record = TypeVar("Record", Condition, Row, Table)


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
    text = _load(path, (path,))
    try:
        table = _table(path, text)
        _require(table, path)
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(
            f"table {path.name} holds a value of the wrong kind; see docs/reproduction.md for its form"
        ) from error
    return table


def _table(path: Path, text: dict[str, Any]) -> Table:
    training, evaluation = text.pop("training", {}), text.pop("evaluation", {})
    shared = evaluation.pop("conditions", [{}])
    conditions = [_make(path, Condition, {**evaluation, **one}) for one in shared]
    rows = tuple(_row(path, one, training, conditions) for one in text.pop("row", []))
    return _make(path, Table, {**text, "name": path.stem, "rows": rows})


def _load(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """What a file says, on top of the table that it says it is like; `above` are those that said so on the way."""
    try:
        with path.open("rb") as file:
            text = tomllib.load(file)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)[:120]
        raise FileFormatError(f"table {path.name} cannot be read ({reason}); give a table as a TOML file") from error
    like = text.pop("like", "")
    if not like:
        return text
    if not isinstance(like, str) or Path(like).name != like:
        raise FileFormatError(f"table {path.name} says that it is like something without a name; name a table or none")
    other = path.with_name(f"{like}.toml")
    if other in above:
        raise FileFormatError(f"table {above[0].name} says that it is like itself; name another table or none")
    try:
        return _merged(_load(other, (*above, other)), text)
    except (TypeError, ValueError, AttributeError) as error:
        if isinstance(error, FileFormatError):
            raise FileFormatError(f"table {path.name} is like {like}: {error}") from error
        raise FileFormatError(f"table {path.name} holds a value of the wrong kind; repair it") from error


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
        raise FileFormatError(
            f"table {path.name} sets {shortened(unknown[0])!r} of a condition, which does not exist; remove it"
        )
    merged["options"] = {name: _typed(value) for name, value in options.items()}
    merged["conditions"] = tuple(replace(one, **changes) for one in conditions)  # type: ignore[arg-type]
    parts = [
        _row(path, {"name": text.get("name"), **part}, training, conditions) for part in _rows(merged.pop("parts", []))
    ]
    chain = "+".join(part.method for part in parts)
    if parts and merged.get("method") != chain:
        raise FileFormatError(
            f"row {text.get('name')} of {path.name} has parts that make {chain}, and its method is "
            f"{shortened(str(merged.get('method')))!r}; name the parts in its order"
        )
    merged["parts"] = tuple(parts)
    return _make(path, Row, {"title": text.get("name"), **merged})


def _make(path: Path, kind: type[Record], values: Mapping[str, object]) -> Record:
    known = {item.name for item in fields(kind)}
    if unknown := sorted(set(values) - known):
        raise FileFormatError(f"table {path.name} sets {shortened(unknown[0])!r}, which does not exist; remove it")
    try:
        return kind(**{name: _frozen(value) for name, value in values.items()})  # type: ignore[arg-type]
    except TypeError as error:
        missing = str(error).partition("argument")[2].strip(" s:") or str(error)
        raise FileFormatError(f"a {kind.__name__.lower()} of table {path.name} lacks {missing}; add it") from error


def _rows(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list) or len(value) not in (0, 2) or not all(isinstance(part, dict) for part in value):
        raise TypeError("parts are not two rows")
    return value


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
    if unknown := sorted({*table.metrics, *table.claimed} - set(METRICS_BY_KEY)):
        raise FileFormatError(f"table {path.name} asks for {unknown[0]!r}; there are {', '.join(METRICS_BY_KEY)}")
    for row in table.rows:
        if foreign := sorted(set(row.published) - set(table.columns)):
            raise FileFormatError(f"row {row.name} of {path.name} publishes {foreign[0]!r}, which is no column; add it")
        if not all(one.database for one in row.conditions):
            raise FileFormatError(
                f"row {row.name} of {path.name} is measured on nothing; name a database of test subjects"
            )
