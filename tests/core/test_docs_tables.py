"""Tables of the documentation that are made from the code say what the code says, and a new record gets its row."""

from types import ModuleType

import numpy as np
import pytest

from mrviewer.geometry import Geometry
from mrviewer.metrics import lesions
from mrviewer.metrics.lesions import LESION_COLUMNS, LesionColumn, lesion_table


def test_no_row_of_the_pages_is_stale(docs_tables: ModuleType) -> None:
    for table in docs_tables.TABLES:
        text = table.path.read_text(encoding="utf-8")
        assert table.head in text
        rows = table.rows()
        names = {row.split("|")[1] for row in rows}
        body = text[text.index(table.head) :].splitlines(keepends=True)[2:]
        found = [line for line in body if line.startswith("|") and line.split("|")[1] in names]
        assert len(found) > 5
        assert set(found) <= set(rows), f"docs/{table.page} is stale; run make tables"


def test_a_lesion_column_is_one_record(docs_tables: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    column = LesionColumn("half_ml", "half", "Half of the volume", lambda row: row.volume_ml / 2, "mL", 3)
    monkeypatch.setattr(lesions, "LESION_COLUMNS", (*LESION_COLUMNS, column))
    grid = Geometry.axial((4, 5, 6), (1.0, 1.0, 1.0))
    lesion = np.zeros((4, 5, 6), bool)
    lesion[1, 1:3, 1:3] = True
    [row] = lesion_table(lesion, lesion, grid).rows
    assert row.to_json()["half_ml"] == pytest.approx(row.volume_ml / 2)
    assert docs_tables.lesion_row(column) == "| `half_ml` | mL | Half of the volume |\n"
