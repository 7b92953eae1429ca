"""Writes the tables of these pages that are made from the code: ``python docs/tables.py``, or ``make tables``."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mrviewer.cards.held_out import HeldOut
from mrviewer.methods.registry import get_method, method_names
from mrviewer.metrics.lesions import LESION_COLUMNS, LesionColumn
from mrviewer.metrics.metric_list import METRICS_BY_KEY
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


def case_rows() -> list[str]:
    """Rows of what the cards say of held-out cases, the best Dice or PSNR of a case first."""
    cases = [(case, get_method(name).card.name) for name in method_names() for case in get_method(name).card.held_out]
    return [_case_row(case, name) for case, name in sorted(cases, key=lambda one: (one[0].subject, -_rank(one[0])))]


def _rank(case: HeldOut) -> float:
    """What cases are sorted by: Dice, and a PSNR counts for little beside it."""
    return max(case.figures.get("dice", 0), case.figures.get("psnr", 0) / 1000)


def _case_row(case: HeldOut, name: str) -> str:
    known = case.figures
    found = f"{known['lesions_found']} of {known['lesions_reference']}" if "lesions_found" in known else ""
    cells = [
        METRICS_BY_KEY[key].text(known.get(key), "")
        for key in ("dice", "lesion_f1", "lesion_f1_iou10", "psnr_in_object", "ssim_in_object")
    ]
    cells[1:1] = [found, METRICS_BY_KEY["false_regions"].text(known.get("false_regions"), "")]
    return f"| {case.subject} | `{name}` | {case.condition} | {' | '.join(cells)} |\n"


TABLES = (
    Table(
        "sampling.md",
        "| name | dimensions | acquires | count | reads |",
        lambda: [family_row(family) for family in (*mask_families(), FILE)],
    ),
    Table("outputs.md", "| column | unit | holds |", lambda: [lesion_row(column) for column in LESION_COLUMNS]),
    Table("training.md", "| method | sets |", paper_rows),
    Table(
        "cards.md",
        "| case | method | sampled | Dice | found | invented | lesion F1 | at IoU 0.1 | PSNR | SSIM |",
        case_rows,
    ),
)

if __name__ == "__main__":
    for table in TABLES:
        table.path.write_text(table.written_into(table.path.read_text(encoding="utf-8")), encoding="utf-8")
