"""Tables of experiments as Markdown, and the page whose sections they fill."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.experiments.compare import Spread, spread
from mrviewer.experiments.figures import RowFigures
from mrviewer.experiments.metrics import METRICS
from mrviewer.experiments.tables import Condition, Table
from mrviewer.experiments.verdict import Comparison, comparisons, sentences
from mrviewer.writers.whole import whole_file

__all__ = ["section", "update_page"]


def section(table: Table, figures: Mapping[str, RowFigures], left_out: Mapping[str, str]) -> str:
    """Everything that a page says of a table.

    Parameters
    ----------
    table
        What was asked for.
    figures
        What was measured, by row.
    left_out
        Why a row has no figures, or not all, by row.
    """
    parts = [f"## {table.title}", f"{table.claim} Source: {table.source}."]
    if table.published_on:
        parts.append(f"Published figures (in italics): {table.published_on}.")
    for condition in table.conditions:
        if figures:
            parts += [f"**{condition.title}**"] if condition.title else []
            parts.append(_figures(table, condition, figures))
    if any(row.real for row in figures.values()):
        parts += ["**The same networks on real subjects**", _real(table, figures)]
    parts += _verdicts(table, figures)
    parts += [f"*{table.row(name).title}*: {reason}." for name, reason in left_out.items()]
    parts += list(table.notes)
    parts.append(_budget(table, figures))
    parts.append(f"At the published size: {table.paper_scale}")
    return "\n\n".join(part for part in parts if part) + "\n"


def update_page(path: Path, sections: Mapping[str, str]) -> None:
    """Replace what stands between the markers of each table on a page; nothing else of it is touched.

    Raises
    ------
    InputError
        If the page does not exist, or lacks the markers of a table.
    """
    if not path.is_file():
        raise InputError(f"the page {path.name} does not exist; write one with a marker for each table")
    text = path.read_text(encoding="utf-8")
    for name, words in sections.items():
        first, last = f"<!-- reproduce: {name} -->", f"<!-- end of {name} -->"
        before, opening, rest = text.partition(first)
        _, closing, after = rest.partition(last)
        if not (opening and closing):
            raise InputError(f"the page {path.name} lacks the lines {first} and {last}; add them where the table goes")
        text = f"{before}{first}\n\n{words}\n{last}{after}"
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _figures(table: Table, condition: Condition, figures: Mapping[str, RowFigures]) -> str:
    header = ["", *(METRICS[metric].title for metric in table.metrics), "parameters", "s per run"]
    lines = []
    for row in table.rows:
        measured = figures.get(row.name)
        cells = []
        for metric in table.metrics:
            column = condition.column(metric)
            ours = None if measured is None else spread(measured.values[column])
            cells.append(_cell(metric, ours, row.published.get(column), row.published_spread.get(column)))
        size = ("–", "–") if measured is None else (f"{measured.parameters:,}", f"{measured.seconds:.0f}")
        lines.append([row.title, *cells, *size])
    return _markdown(header, lines)


def _real(table: Table, figures: Mapping[str, RowFigures]) -> str:
    lines = [
        [row.title, *(_cell(metric, spread(figures[row.name].real[metric])) for metric in table.metrics)]
        for row in table.rows
        if row.name in figures and figures[row.name].real
    ]
    return _markdown(["", *(METRICS[metric].title for metric in table.metrics)], lines)


def _verdicts(table: Table, figures: Mapping[str, RowFigures]) -> list[str]:
    found = comparisons(table, figures)
    parts = [" ".join(sentences(table, figures))]
    if found:
        metric_of = {one.column(metric): metric for one in table.conditions for metric in table.metrics}
        lines = [
            [
                one.column,
                table.row(one.against).title,
                _signed(one.expected, METRICS[metric_of[one.column]].decimals) if one.is_published else "better",
                _interval(one, METRICS[metric_of[one.column]].decimals),
                str(one.verdict),
            ]
            for one in found
        ]
        parts.append(_markdown(["figure", f"`{table.headline}` minus", "published", "ours (95 %)", ""], lines))
    return parts


def _budget(table: Table, figures: Mapping[str, RowFigures]) -> str:
    row = table.row(table.headline)
    options = row.options
    seeds = sorted({seed for one in figures.values() for seed in one.seeds})
    trained = f"Every row: {options.get('steps', '?')} steps of {options.get('batch_size', '4')}"
    grid = f"{options['coarsen']} mm pixels" if "coarsen" in options else "1 mm pixels"
    measured = "; ".join(_in_words(condition) for condition in row.conditions)
    seeds_in_words = f" Seeds {', '.join(map(str, seeds))}." if seeds else " Not run yet."
    return f"{trained}, {grid}, trained on {', '.join(row.database)}; {measured}.{seeds_in_words}"


def _in_words(condition: Condition) -> str:
    grid = f"{condition.coarsen} pixels merged along both axes, one slice in {condition.every}"
    return f"{condition.title or 'measured'} on {', '.join(condition.database)} ({grid})"


def _cell(metric: str, ours: Spread | None, published: float | None = None, deviation: float | None = None) -> str:
    decimals = METRICS[metric].decimals
    mine = "–" if ours is None else _with_deviation(ours.mean, ours.deviation, decimals)
    return mine if published is None else f"{mine} · *{_with_deviation(published, deviation, decimals)}*"


def _with_deviation(mean: float, deviation: float | None, decimals: int) -> str:
    return f"{mean:.{decimals}f}" + ("" if deviation is None else f" ± {deviation:.{decimals}f}")


def _interval(one: Comparison, decimals: int) -> str:
    ours = one.ours
    low, high = _signed(ours.low, decimals), _signed(ours.high, decimals)
    return f"{_signed(ours.mean, decimals)} ({low} to {high})"


def _signed(value: float, decimals: int) -> str:
    return f"{value:+.{decimals}f}".replace("-", "−")


def _markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(header)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *lines))
