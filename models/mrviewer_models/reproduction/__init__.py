"""Tables of the papers whose methods are here, with their published figures, as experiments that anybody can repeat.

One file each, in the format of `mrviewer.experiments.table_files`. ``mrviewer reproduce`` runs them; what came out is
on the page ``docs/reproduction.md``.
"""

from pathlib import Path

__all__ = ["FOLDER"]

FOLDER = Path(__file__).parent
