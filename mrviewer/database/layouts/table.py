"""Subjects of a table of paths: CSV or TSV with a row a study.

Columns are ``subject``, perhaps ``patient`` and ``session``, one for each modality, and one for each kind of labels.
Paths are relative to the table. Columns that hold no paths are not looked at. A first line ``sep=;``, as spreadsheet
programs write it, names the separator.
"""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from mrviewer.database.found import FoundDatabase, FoundSubject
from mrviewer.database.layouts.described_paths import described_path
from mrviewer.database.layouts.file_names import is_file_name
from mrviewer.database.survey import Oddity
from mrviewer.errors import FileFormatError
from mrviewer.names.image_names import label_rank
from mrviewer.names.visits import patient_of
from mrviewer.readers.formats import FORMATS

__all__ = ["TABLE_ENDINGS", "find_in_table"]

TABLE_ENDINGS = (".csv", ".tsv")
_SUBJECT = ("subject", "subject_id", "name", "id", "case", "participant_id", "participant")
_PATIENT = ("patient", "patient_id", "person")
_SESSION = ("session", "session_id", "visit", "date", "timepoint")
_SEPARATOR = re.compile(r"""(?i)["']?sep=(\t|,|;|\|)["']?""")
_ENDINGS = tuple(pattern[1:] for known in FORMATS for pattern in (*known.patterns, *known.companions))


def find_in_table(table: Path) -> FoundDatabase:
    """Find the subjects that a table names.

    Raises
    ------
    FileFormatError
        If the table cannot be read, names a study twice, or has no column with paths of images.
    """
    header, rows = _read(table)
    subject, patient, session = (_column(header, names) for names in (_SUBJECT, _PATIENT, _SESSION))
    paths = [name for name in header if name not in (subject, patient, session) and _holds_paths(rows, name)]
    images = [name for name in paths if label_rank(name) is None]
    if not images:
        raise FileFormatError(
            f"{table.name} has no column with paths of images; give one a modality, beside subject and label"
        )
    named = subject or patient
    if named is None:
        raise FileFormatError(f"{table.name} has no column called subject; add one with a name for every row")
    oddities: list[Oddity] = []
    found: dict[str, FoundSubject] = {}
    for number, row in enumerate(rows, 2):
        name = _safe("_".join(part for part in (row.get(named, ""), row.get(session or "", "")) if part))
        if not name:
            oddities.append(Oddity("", "broken-file", f"row {number} of {table.name} names no subject and is left out"))
            continue
        if name in found:
            raise FileFormatError(f"{table.name} names {name} twice; give every row a name of its own, or a session")
        wrong = [column for column in paths if not is_file_name(row.get(column, ""))]
        for column in wrong:
            message = f"{column} of {name} is called in a way that no file can be, and is left out"
            oddities.append(Oddity(name, "broken-file", message))
        given = [column for column in paths if row.get(column) and column not in wrong]
        files = {column: described_path(table.parent, row[column]) for column in given}
        person = row.get(patient or "", "") or (row[named] if session else patient_of(row[named]))
        found[name] = FoundSubject(
            name,
            person,
            {column: path for column, path in files.items() if column in images},
            {column: path for column, path in files.items() if column not in images},
        )
    return FoundDatabase(table, "table", tuple(found[name] for name in sorted(found)), tuple(oddities))


def _read(table: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Names of the columns, and the rows without outer blanks."""
    text = _decoded(table)
    first, _, below = text.partition("\n")
    named = _SEPARATOR.fullmatch(first.strip(" \r"))
    if named is not None:
        text, delimiter = below, named[1]
    else:
        delimiter = max("\t,;", key=first.count)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
        header = [(name or "").strip() for name in reader.fieldnames or ()]
        rows = [{(key or "").strip(): _text(value) for key, value in row.items()} for row in reader]
    except csv.Error as error:
        raise FileFormatError(f"{table.name} cannot be read as a table ({error}); save it as CSV in UTF-8") from error
    if not rows:
        raise FileFormatError(f"{table.name} has no row below its header; give one row a study")
    if len(set(header)) < len(header):
        raise FileFormatError(f"{table.name} has two columns of one name; give each its own")
    return header, rows


def _decoded(table: Path) -> str:
    """Text of a table in UTF-8, or in UTF-16 where it begins with the mark of that."""
    try:
        data = table.read_bytes()
    except OSError as error:
        raise FileFormatError(f"{table.name} cannot be read ({error.strerror}); check the file") from error
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FileFormatError(
            f"line {line} of {table.name} holds a character that is not in UTF-8, so the table was saved in another "
            'code page, such as Windows-1252; save it as "CSV UTF-8"'
        ) from error


def _text(value: str | list[str] | None) -> str:
    # Cells beyond the header come as a list under no name.
    return value.strip() if isinstance(value, str) else ""


def _column(header: Sequence[str], names: Sequence[str]) -> str | None:
    """First column that is called one of some names."""
    lower = {name.lower(): name for name in reversed(header)}
    return next((lower[name] for name in names if name in lower), None)


def _holds_paths(rows: Sequence[dict[str, str]], column: str) -> bool:
    return any(row.get(column, "").lower().endswith(_ENDINGS) for row in rows)


def _safe(name: str) -> str:
    """Name that can be part of a file name."""
    return "_".join(part for part in name.replace("\\", "/").split("/") if part)
