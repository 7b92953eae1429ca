"""What came of a run: figures before and after, as a whole, by subject and by lesion. No Qt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrviewer.errors import MrviewerError
from mrviewer.finetuning import RunRecord, read_summary
from mrviewer.metrics.metric_list import METRICS_BY_KEY, by_group, flat

__all__ = ["RunResult", "ScoreChange", "ScoreRow", "read_result"]

_DICE = METRICS_BY_KEY["dice"]
_SHOWN = [metric for group in ("segmentation", "image", "image_in_object") for metric in by_group(group)]


@dataclass(frozen=True)
class ScoreChange:
    """One figure before and after.

    Parameters
    ----------
    name
        In words.
    before, after
        Values; `None` where there is none.
    decimals
        How many are worth reading.
    more_is_better
        Which way is good; `None` where neither is.
    """

    name: str
    before: float | None
    after: float | None
    decimals: int = 3
    more_is_better: bool | None = True

    @property
    def is_better(self) -> bool | None:
        """Whether it is better after than before; `None` where it is the same, or not known."""
        if self.more_is_better is None or self.before is None or self.after is None or self.before == self.after:
            return None
        return (self.after > self.before) is self.more_is_better

    @property
    def texts(self) -> tuple[str, str]:
        """Both values as they stand in a table."""
        values = (self.before, self.after)
        return tuple("unknown" if value is None else f"{value:.{self.decimals}f}" for value in values)  # type: ignore[return-value]


@dataclass(frozen=True)
class ScoreRow:
    """A row of a table: what it is about, words on it, and figures."""

    title: tuple[str, ...]
    figures: tuple[ScoreChange, ...]


@dataclass(frozen=True, eq=False)
class RunResult:
    """The end of a run.

    Parameters
    ----------
    path
        Folder of the run.
    model
        Name of the new model.
    verdict
        ``better``, ``worse`` or ``undecided``.
    sentence
        The verdict with its figures and its test.
    means, subjects, lesions
        Tables: figures of all cases together, of each case, and of each lesion.
    remarks
        Who was left out, and what else was noted.
    """

    path: Path
    model: str
    verdict: str
    sentence: str
    means: tuple[ScoreChange, ...]
    subjects: tuple[ScoreRow, ...]
    lesions: tuple[ScoreRow, ...]
    remarks: tuple[str, ...]


def read_result(run: RunRecord) -> RunResult | None:
    """Read what a finished run came to; `None` if its summary cannot be read."""
    try:
        summary = read_summary(run.path).summary
    except MrviewerError:
        return None
    by_subject: Mapping[str, Any] = summary.get("by_subject", {})
    means = _figures(summary.get("before", {}), summary.get("after", {}))
    shown = [figure.name for figure in means]
    return RunResult(
        path=run.path,
        model=str(summary.get("method", "")),
        verdict=str(summary.get("verdict", "undecided")),
        sentence=str(summary.get("sentence", "")),
        means=means,
        subjects=tuple(
            ScoreRow((name,), _only(_figures(both["before"], both["after"]), shown))
            for name, both in by_subject.items()
        ),
        lesions=tuple(map(_lesion_row, summary.get("by_lesion", ()))),
        remarks=tuple(map(str, summary.get("notes", ()))),
    )


def _figures(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[ScoreChange, ...]:
    """Every known figure that both sides may have, segmentation first."""
    early, late = flat(before), flat(after)
    pairs = [(metric, early.get(metric.key), late.get(metric.key)) for metric in _SHOWN]
    return tuple(
        ScoreChange(metric.heading, first, second, metric.digits, metric.higher_is_better)
        for metric, first, second in pairs
        if first is not None or second is not None
    )


def _only(figures: Iterable[ScoreChange], names: Sequence[str]) -> tuple[ScoreChange, ...]:
    """Figures of these names and no others, in their order, so that the rows of a table have the same columns."""
    known = {figure.name: figure for figure in figures}
    return tuple(known.get(name, ScoreChange(name, None, None)) for name in names)


def _lesion_row(row: Mapping[str, Any]) -> ScoreRow:
    early, late = row["before"], row["after"]
    words = f"{early['status']}, then {late['status']}" if early["status"] != late["status"] else str(late["status"])
    title = (str(row["subject"]), str(row["lesion"]), f"{row['volume_ml']:.2f}", words)
    return ScoreRow(title, (ScoreChange(_DICE.heading, early["dice"], late["dice"], _DICE.digits),))
