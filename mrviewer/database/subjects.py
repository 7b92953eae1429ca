"""One subject of a database: a name, a patient, and how its study is opened."""

from collections.abc import Callable
from dataclasses import dataclass

from mrviewer.database.simulated import SIMULATED_MS
from mrviewer.study import Study

__all__ = ["Subject"]


@dataclass(frozen=True)
class Subject:
    """One subject of a database, not yet opened.

    Parameters
    ----------
    name
        Of the subject within all databases that are used together: a folder, a file, or ``KIND-SEED``.
    load
        Opens the study; raises a `mrviewer.errors.MrviewerError` where that cannot be done.
    seed
        Of a simulated patient; `None` for a real one.
    database
        Kind of the simulation, or name of the folder that the subject was found in.
    patient
        Whose study it is. A split never divides a patient. Empty if the name says it.
    fingerprint
        Of the files (sizes and times) and of their mapping; it changes when what `load` gives may have changed. Empty
        for a simulated patient, whose kind and seed say all.
    labelled
        Whether there are reference labels; `None` if that is not known without opening.
    """

    name: str
    load: Callable[[], Study]
    seed: int | None = None
    database: str = SIMULATED_MS
    patient: str = ""
    fingerprint: str = ""
    labelled: bool | None = None

    @property
    def patient_name(self) -> str:
        """Whose study it is, in any case a name."""
        return self.patient or self.name
