"""Writes the tables of these pages that are made from the code: ``python docs/tables.py``, or ``make tables``."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mrviewer.metrics.lesions import LESION_COLUMNS, LesionColumn
from mrviewer.sampling import FILE, MaskFamily, MaskSetting, mask_families
from mrviewer_models.paper_training import PAPER_TRAINING

__all__ = ["TABLES", "Table", "family_row", "lesion_row"]

_READS = {
    MaskSetting.ACCELERATION: "acceleration",
    MaskSetting.CENTER_FRACTION: "centre fraction",
    MaskSetting.SEED: "seed",
}


@dataclass(frozen=True)
class Table:
    """A table of a page.

    Parameters
    ----------
    page
        Beside this file.
    head
        First line, by which it is found.
    rows
        Gives all that stands under it.
    """

    page: str
    head: str
    rows: Callable[[], list[str]]

    @property
    def path(self) -> Path:
        """The page."""
        return Path(__file__).with_name(self.page)

    def written_into(self, text: str) -> str:
        """Return the text of the page with the table as it is now."""
        head = f"{self.head}\n{'|---' * (self.head.count('|') - 1)}|\n"
        return re.sub(re.escape(head) + r"(\|.*\n)*", lambda _: head + "".join(self.rows()), text)


def family_row(family: MaskFamily) -> str:
    """Row of a mask family."""
    name = FILE.named(FILE.argument) if family is FILE else family.name
    dimensions = {1: "lines", 2: "samples", None: "either"}[family.dimensions]
    total = "W" if family.dimensions == 1 else "H W"
    count = f"exactly `round({total} / R)` {dimensions}" if family.is_exact else "as near as its shape allows"
    if MaskSetting.ACCELERATION not in family.settings:
        count = "its own"
    reads = ", ".join(_READS[setting] for setting in MaskSetting if setting in family.settings) or "nothing"
    return f"| `{name}` | {dimensions} | {family.description} | {count} | {reads} |\n"


def lesion_row(column: LesionColumn) -> str:
    """Row of a column of the lesion table."""
    return f"| `{column.name}` | {column.unit} | {column.description} |\n"


def paper_rows() -> list[str]:
    """Rows of what a preset of a paper sets."""
    return [
        f"| `{method}`, `preset={preset}` | {', '.join(f'`{key}={value}`' for key, value in settings.items())} |\n"
        for method, presets in PAPER_TRAINING.items()
        for preset, settings in presets.items()
    ]


TABLES = (
    Table(
        "sampling.md",
        "| name | dimensions | acquires | count | reads |",
        lambda: [family_row(family) for family in (*mask_families(), FILE)],
    ),
    Table("outputs.md", "| column | unit | holds |", lambda: [lesion_row(column) for column in LESION_COLUMNS]),
    Table("training.md", "| method | sets |", paper_rows),
)

if __name__ == "__main__":
    for table in TABLES:
        table.path.write_text(table.written_into(table.path.read_text(encoding="utf-8")), encoding="utf-8")
