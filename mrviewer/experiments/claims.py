"""Whether figures say what a source says: computed from the figures, never written by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mrviewer.evaluation.paired import Paired, agreeing_pairs, paired_difference, rank_correlation, spread
from mrviewer.experiments.table_results import RowFigures
from mrviewer.experiments.tables import Table
from mrviewer.metrics.metric_list import METRICS_BY_KEY

__all__ = ["MethodComparison", "Verdict", "comparisons", "sentences"]


class Verdict(StrEnum):
    """What a paired difference says of a published one."""

    SAME = "as published"
    OPPOSITE = "the other way"
    OPEN = "open"


@dataclass(frozen=True)
class MethodComparison:
    """The headline of a table against one other row, in one column.

    Parameters
    ----------
    column, against
        Which figure, and which row.
    expected
        Difference that was published, headline minus the other; only its sign counts where the source has no figures.
    is_published
        Whether `expected` is a figure.
    ours
        The paired difference that was measured.
    """

    column: str
    against: str
    expected: float
    is_published: bool
    ours: Paired

    @property
    def verdict(self) -> Verdict:
        """Same or opposite only where the interval leaves out 0."""
        if not self.ours.is_clear:
            return Verdict.OPEN
        return Verdict.SAME if self.ours.mean * self.expected > 0 else Verdict.OPPOSITE


def comparisons(table: Table, figures: Mapping[str, RowFigures]) -> list[MethodComparison]:
    """Hold the headline against every other row, wherever the source says which is better and both were measured."""
    if table.headline not in figures:
        return []
    headline = figures[table.headline]
    found = []
    for condition in table.conditions:
        for metric in table.metrics:
            column = condition.column(metric)
            for row in table.rows:
                expected = _expected(table, row.name, column, metric)
                if row.name not in figures or not expected:
                    continue
                other = figures[row.name]
                seeds = [seed for seed in headline.seeds if seed in other.seeds]
                if not seeds:
                    continue
                ours = paired_difference(headline.of_seeds(column, seeds), other.of_seeds(column, seeds))
                if ours is not None:
                    is_published = column in table.row(row.name).published
                    found.append(MethodComparison(column, row.name, expected, is_published, ours))
    return found


def sentences(table: Table, figures: Mapping[str, RowFigures]) -> list[str]:
    """What the figures of a table say, for a person."""
    said = [_summary(table, figures)]
    said += [text for column in table.columns if (text := _order(table, figures, column))]
    if len(table.correlate) == 2:
        said += _correlation(table, figures)
    return [text for text in said if text]


def _expected(table: Table, row: str, column: str, metric: str) -> float:
    """Published difference of the headline and a row, or the sign of what is claimed; 0 where nothing is said."""
    ours, theirs = table.row(table.headline).published.get(column), table.row(row).published.get(column)
    if row == table.headline:
        return 0.0
    if ours is not None and theirs is not None:
        return ours - theirs
    if metric in table.claimed and not table.row(row).is_bound:
        return 1.0 if METRICS_BY_KEY[metric].higher_is_better else -1.0
    return 0.0


def _summary(table: Table, figures: Mapping[str, RowFigures]) -> str:
    found = comparisons(table, figures)
    if not found:
        return ""
    counts = {verdict: sum(one.verdict is verdict for one in found) for verdict in Verdict}
    headline = figures[table.headline]
    n_subjects = min(len(names) for names in headline.subjects.values())
    kind = "published differences" if any(one.is_published for one in found) else "claimed differences"
    return (
        f"Of {len(found)} {kind} between `{table.headline}` and the other rows, {counts[Verdict.SAME]} came out the "
        f"same way and larger than the spread, {counts[Verdict.OPPOSITE]} the other way, and {counts[Verdict.OPEN]} "
        f"cannot be decided by {len(headline.seeds)} seed(s) and {n_subjects} subjects."
    )


def _order(table: Table, figures: Mapping[str, RowFigures], column: str) -> str:
    published = {row.name: row.published[column] for row in table.rows if column in row.published}
    means = {name: spread(row.values[column]) for name, row in figures.items()}
    ours = {name: mean.mean for name, mean in means.items() if mean is not None}
    agreeing, total = agreeing_pairs(published, ours)
    if total < 1:
        return ""
    same = "the published order" if agreeing == total else f"{agreeing} of {total} pairs of rows in the published order"
    return f"Means of {_in_words(table, column)}: {same}."


def _correlation(table: Table, figures: Mapping[str, RowFigures]) -> list[str]:
    first, second = table.correlate
    said = []
    every = []
    for name, row in figures.items():
        if np.isfinite(row.values[first]).any() and np.isfinite(row.values[second]).any():
            every.append((name, row.values[first].mean(axis=0), row.values[second].mean(axis=0)))
    parts = [(name, found) for name, x, y in every if (found := rank_correlation(x, y)) is not None]
    names = f"{_in_words(table, first)} and {_in_words(table, second)}"
    if len(every) > 1:
        pooled = rank_correlation(np.concatenate([x for _, x, _ in every]), np.concatenate([y for _, _, y in every]))
        if pooled is not None:
            published = table.published_correlation
            beside = "" if published is None else f" (published: {published:.2f})"
            said.append(
                f"Spearman's correlation of {names}, over the subjects of all rows: {pooled.rho:.2f}{beside}, "
                f"p = {pooled.p_value:.2g}, {pooled.count} values."
            )
    if parts:
        within = ", ".join(f"`{name}` {found.rho:.2f} (p = {found.p_value:.2g})" for name, found in parts)
        said.append(f"Within a row, over {parts[0][1].count} subjects: {within}.")
    return said


def _in_words(table: Table, column: str) -> str:
    """Name of a column for a person: the metric, and the condition if there are several."""
    for condition in table.conditions:
        for metric in table.metrics:
            if condition.column(metric) == column:
                title = METRICS_BY_KEY[metric].title
                return f"{title} ({condition.title or condition.name})" if condition.name else title
    return column
