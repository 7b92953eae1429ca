"""Subjects prepared once and kept on disk in safetensors files, of which training reads what it needs when it does.

Nothing of a prepared file stays in memory, so that a thousand subjects take no more of it than ten.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from mrviewer.database import Subject
from mrviewer.errors import InputError
from mrviewer.files.cache import prepared_path, prune_prepared
from mrviewer.progress import Progress, Skipped
from mrviewer.system.faults import explained
from mrviewer.system.reasons import reason_of
from mrviewer.training.data.sealed import is_sealed, write_sealed

__all__ = ["keep_prepared", "prepare_each"]

_logger = logging.getLogger(__name__)

Prepared = TypeVar("Prepared")
Tensors = Mapping[str, NDArray[np.generic]]


def prepare_each(
    subjects: Sequence[Subject], prepare: Callable[[Subject], Prepared]
) -> Generator[Progress, None, list[Prepared]]:
    """Prepare subjects one after the other; one that cannot be used is told (`Skipped`) and left out.

    Raises
    ------
    InputError
        If there are subjects and none of them can be used; it says why the first one could not.
    """
    prune_prepared()
    prepared: list[Prepared] = []
    skipped: list[Skipped] = []
    for number, subject in enumerate(subjects, 1):
        try:
            prepared.append(prepare(subject))
        except _UnwritableError:
            raise
        except Exception as error:  # noqa: BLE001 - one damaged subject must not take the others along
            skipped.append(Skipped(subject.name, str(explained(error, "train"))))
            yield Progress(number, len(subjects), f"left out {subject.name}: {skipped[-1].reason}", skipped[-1])
        else:
            yield Progress(number, len(subjects), f"prepared {subject.name}")
    if skipped and not prepared:
        others = f" (and so are {len(skipped) - 1} others)" if len(skipped) > 1 else ""
        raise InputError(f"no subject can be used{others}: {skipped[0].reason}")
    return prepared


def keep_prepared(subject: Subject, kind: Sequence[object], make: Callable[[], Tensors]) -> Path:
    """File with the arrays of a subject, made now if they are not there or damaged.

    Parameters
    ----------
    subject
        Whose; the file is called after a fingerprint of all this, which tells nobody's name, so that changed files are
        prepared anew.
    kind
        All else that decides what the arrays hold; JSON knows it.
    make
        Gives the arrays.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    key = json.dumps([subject.name, subject.database, subject.seed, subject.fingerprint, *kind])
    path = prepared_path(hashlib.sha256(key.encode()).hexdigest())
    if path.is_file():
        if is_sealed(path):
            return path
        _logger.warning("the prepared data of %s are damaged; they are made again", subject.database)
    made = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_sealed(path, made)
    except (OSError, SafetensorError) as error:
        raise _UnwritableError(
            f"prepared data cannot be written to the cache folder ({reason_of(error)}); make room there, "
            "or give another folder by XDG_CACHE_HOME"
        ) from error
    return path


class _UnwritableError(InputError):
    """Not the fault of any subject."""
