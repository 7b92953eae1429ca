"""Whether a model got better: the same subjects before and after, with a paired test where there are enough of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from mrviewer.evaluation.paired import ENOUGH, paired_difference
from mrviewer.metrics.metric_list import METRICS_BY_KEY

__all__ = ["BeforeAfter", "Verdict", "compare", "judge"]

Verdict = Literal["better", "worse", "undecided"]

_JUDGED = tuple(METRICS_BY_KEY[key] for key in ("dice", "ssim"))
_VERDICTS: dict[int, Verdict] = {1: "better", -1: "worse", 0: "undecided"}


@dataclass(frozen=True)
class BeforeAfter:
    """One figure before and after.

    Parameters
    ----------
    figure
        ``dice`` or ``ssim``.
    n, n_better, n_worse
        Subjects that have it on both sides; those in which it got better, and worse.
    before, after
        Means over these subjects.
    p
        Two-sided Wilcoxon signed-rank test; `None` where there are fewer than six subjects, or none changed.
    verdict
        Better or worse if p is below 0.05; undecided where there is no test, however the subjects fall.
    """

    figure: str
    n: int
    n_better: int
    n_worse: int
    before: float
    after: float
    p: float | None
    verdict: Verdict


def compare(figure: str, before: Sequence[float], after: Sequence[float]) -> BeforeAfter:
    """Compare one figure of the same subjects, at least one."""
    late, early = (np.asarray([values], np.float64) for values in (after, before))
    paired = paired_difference(late, early)
    assert paired is not None
    better = 1 if METRICS_BY_KEY[figure].higher_is_better else -1
    n_better, n_worse = (paired.n_higher, paired.n_lower)[::better]
    verdict: Verdict = _VERDICTS[paired.tested * better]
    return BeforeAfter(figure, paired.n_subjects, n_better, n_worse, paired.second, paired.first, paired.p, verdict)


def judge(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Hold the figures of subjects before and after against each other.

    Returns
    -------
    dict
        ``verdict``, ``sentence``, and ``test``: a `BeforeAfter` by figure.
    """
    comparisons: dict[str, BeforeAfter] = {}
    for metric in _JUDGED:
        group, figure = metric.group, metric.name
        pairs = [(before[name][group].get(figure), after[name][group].get(figure)) for name in before if name in after]
        known = [(early, late) for early, late in pairs if early is not None and late is not None]
        if known:
            one = compare(metric.key, [early for early, _ in known], [late for _, late in known])
            comparisons[metric.title] = one
    verdict = _together([one.verdict for one in comparisons.values()])
    return {
        "verdict": verdict,
        "sentence": _sentence(verdict, comparisons),
        "test": {one.figure: asdict(one) for one in comparisons.values()},
    }


def _sentence(verdict: Verdict, comparisons: Mapping[str, BeforeAfter]) -> str:
    """The verdict, then every figure; where nothing was tested, that there are too few cases instead of a verdict."""
    if not comparisons:
        return _UNKNOWN
    headline = _HEADLINES[verdict]
    if all(one.n < ENOUGH for one in comparisons.values()):
        most = max(one.n for one in comparisons.values())
        cases = f"{most} validation cases are" if most > 1 else "one validation case is"
        headline = f"Undecided: {cases} too few for a test, which needs {ENOUGH}."
    return " ".join([headline, *(_in_words(title, one) for title, one in comparisons.items())])


_UNKNOWN = "Undecided: nothing could be measured both before and after."
_HEADLINES: dict[Verdict, str] = {
    "better": "Better than before on the validation cases.",
    "worse": "Worse than before on the validation cases.",
    "undecided": "Neither surely better nor surely worse than before on the validation cases.",
}


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    """Better or worse if no figure says the opposite."""
    said = set(verdicts) - {"undecided"}
    return next(iter(said)) if len(said) == 1 else "undecided"


def _in_words(title: str, one: BeforeAfter) -> str:
    means = f"{title} {one.before:.3f} before, {one.after:.3f} after"
    if one.n < ENOUGH:
        return f"{means}; it rose in {one.n_better} and fell in {one.n_worse} of {one.n} (not tested)."
    test = "none changed" if one.p is None else f"Wilcoxon signed-rank p = {one.p:.2g}"
    return f"{means}, better in {one.n_better} and worse in {one.n_worse} of {one.n} ({test})."
