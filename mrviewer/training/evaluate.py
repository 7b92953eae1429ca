"""Figures of a method on subjects that it never saw, by the same functions as everybody's numbers."""

from collections.abc import Generator, Sequence

from mrviewer.acquisition import raw_data
from mrviewer.assess import assess_run
from mrviewer.database import Subject
from mrviewer.method import Method, get_method
from mrviewer.progress import Progress
from mrviewer.reconstruct import reconstruct
from mrviewer.sampling import make_mask

__all__ = ["evaluate_subjects"]


def evaluate_subjects(
    method: Method, subjects: Sequence[Subject], device: str
) -> Generator[Progress, None, dict[str, dict[str, object]]]:
    """Run a method, and zero filling, on the FLAIR (or first) image of each subject at R = 4 with 8 % centre.

    Returns
    -------
    dict
        ``{subject: {method: metrics}}``, metrics as in ``metrics.json``.
    """
    figures: dict[str, dict[str, object]] = {}
    for subject in subjects:
        study = subject.load()
        modality = study.choose_modality()
        shape = raw_data(study, modality).shape[2:]
        mask = make_mask("random", shape, 4.0, 0.08, 0)
        figures[subject.name] = {}
        for candidate in (get_method("zero-filled"), method):
            if not candidate.fits(study, modality):
                continue
            run = yield from reconstruct(study, candidate, mask, modality=modality, device=device)
            labels = None if study.labels is None else study.labels.volume()
            metrics = assess_run(run, labels).to_json()
            figures[subject.name][candidate.card.name] = {**metrics, "seconds": run.seconds}
    return figures
