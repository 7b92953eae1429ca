"""Measure the shipped weights on cases that they never saw, and write the figures into the cards.

    python models/measure.py [METHOD ...] --database DATA/ms_lesjak_mni

Every named method, or all that have weights, is run on whole volumes: two simulated patients (eight simulated livers
for `mtinet`), and those subjects of the databases that its weights were not trained on. A method that works on k-space
sees random lines at R = 4 with 8 % centre, and one that learned where to sample its own lines too; one that looks at
images sees them fully sampled, and without its further modalities too. The figures take the place of all below the line
``# Written by models/measure.py`` of each ``card.toml``; ``make tables`` brings them into ``docs/cards.md``. Figures of
a chain ``A+B``, on what neither part saw, are printed alone.
"""

import hashlib
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mrviewer.cards.held_out import CARD_FIGURES
from mrviewer.database import Subject, open_database
from mrviewer.evaluation.conditions import SamplingCondition
from mrviewer.evaluation.measuring import measure_study, measured_modality
from mrviewer.files.whole_file import whole_file
from mrviewer.method import Method, Task
from mrviewer.methods.chain import Chain
from mrviewer.methods.registry import get_method, method_names
from mrviewer.methods.weights import read_about
from mrviewer.progress import finish
from mrviewer.study import Study
from mrviewer_models.network_method import NetworkMethod, held_out

BEGIN = "# Written by models/measure.py"
HEADS = ("simulated:1@5000", "simulated-glioma:1@5000")
LIVERS = ("simulated-liver:8@7000",)


def digest(path: Path) -> str:
    """First letters of the SHA-256 of a file of weights."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def networks(method: Method) -> tuple[NetworkMethod, ...]:
    """The trained networks of a method: itself, the parts of a chain that have weights, or none."""
    parts = (method.reconstructor, method.segmenter) if isinstance(method, Chain) else (method,)
    return tuple(part for part in parts if isinstance(part, NetworkMethod))


def unseen(method: Method, databases: Sequence[str]) -> list[Subject]:
    """Cases that the weights of a method, or of both parts of a chain, were not trained on."""
    seen: set[object] = set()
    for network in networks(method):
        trained_on = read_about(network.weights_file)["trained_on"]
        assert isinstance(trained_on, list)
        seen |= set(trained_on)
    cases = LIVERS if method.card.answers_for_study else (*HEADS, *databases)
    return [subject for subject in open_database(list(cases)) if subject.name not in seen]


def conditions(method: Method, study: Study, modality: str) -> Iterator[tuple[str, Study, SamplingCondition]]:
    """Ways to measure a method on a study, each with its name in the card."""
    needs = method.card.needs
    companions = [name for name in needs.companions if name in study.images and name != modality]
    alone = replace(study, images={modality: study.images[modality]}) if companions else study
    if needs.kspace:
        # The second part of a chain would look at the others fully sampled.
        yield f"{modality}, random lines, R = 4", alone, SamplingCondition()
        if Task.SAMPLE in method.card.tasks:
            yield f"{modality}, its own lines, R = 4", alone, SamplingCondition("learned")
        return
    yield f"{', '.join((modality, *companions))}, fully sampled", study, SamplingCondition()
    if needs.optional and companions:
        yield f"{modality} alone, fully sampled", alone, SamplingCondition()


def rows(method: Method, subject: Subject) -> Iterator[dict[str, object]]:
    """Measure one case in every way."""
    study = subject.load()
    modality = measured_modality(method, study)
    for condition, seen, sampling in conditions(method, study, modality):
        found = finish(measure_study(method, seen, sampling, modality=modality)).figures
        if Task.RECONSTRUCT in method.card.tasks:
            plain = finish(measure_study(get_method("zero-filled"), seen, SamplingCondition(), modality=modality))
            found["zero_filled_psnr"] = plain.figures["psnr"]
        figures = {key: round(value, 4) for key in CARD_FIGURES if (value := found.get(key)) is not None}
        weights = "+".join(digest(network.weights_file) for network in networks(method))
        yield {"subject": subject.name, "condition": condition, "weights": weights, **figures}


def write(card: Path, measured: Sequence[dict[str, object]]) -> None:
    """Put rows into a card in place of the old ones."""
    kept = card.read_text(encoding="utf-8").partition(BEGIN)[0].rstrip()
    blocks = [
        "[[held_out]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in row.items()) for row in measured
    ]
    with whole_file(card) as temporary:
        temporary.write_text("\n".join([f"{kept}\n", f"{BEGIN}, not by hand.", *blocks]), encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    """Measure the named methods one after the other; each card is written when its method is done."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("method", nargs="*")
    parser.add_argument("--database", action="append", default=[])
    given = parser.parse_args(arguments)
    for name in given.method or method_names():
        method = get_method(name)
        if not networks(method) or name == "brain-mask":
            continue
        measured = [row for subject in unseen(method, given.database) for row in rows(method, subject)]
        if isinstance(method, NetworkMethod):
            write(method.folder / "card.toml", measured)
        for row in measured:
            sys.stdout.write(f"{name}: {held_out(row)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
