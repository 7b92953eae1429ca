"""Tables of experiments as Markdown, and the page whose sections they fill."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mrviewer.errors import InputError
from mrviewer.evaluation.paired import Spread, spread
from mrviewer.experiments.claims import MethodComparison, comparisons, sentences
from mrviewer.experiments.table_results import RowFigures
from mrviewer.experiments.tables import Condition, Table
from mrviewer.files.whole_file import whole_file
from mrviewer.metrics.metric_list import METRICS_BY_KEY
from mrviewer.sampling import FULL, MaskSetting, family_of

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
    header = ["", *(METRICS_BY_KEY[metric].heading for metric in table.metrics), "parameters", "s per run"]
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
    return _markdown(["", *(METRICS_BY_KEY[metric].heading for metric in table.metrics)], lines)


def _verdicts(table: Table, figures: Mapping[str, RowFigures]) -> list[str]:
    """What the figures say, and the headline against every other row: ours with its interval, published, verdict."""
    found = comparisons(table, figures)
    parts = [" ".join(sentences(table, figures))]
    for condition in table.conditions:
        columns = {condition.column(metric): metric for metric in table.metrics}
        cells = {(one.against, one.column): one for one in found if one.column in columns}
        rows = [row for row in table.rows if any(against == row.name for against, _ in cells)]
        if rows:
            header = [f"`{table.headline}` minus", *(METRICS_BY_KEY[metric].heading for metric in columns.values())]
            lines = [
                [row.title, *(_compared(cells.get((row.name, column)), metric) for column, metric in columns.items())]
                for row in rows
            ]
            parts += [f"**{condition.title}**"] if condition.title else []
            parts.append(_markdown(header, lines))
    return parts


def _compared(one: MethodComparison | None, metric: str) -> str:
    if one is None:
        return ""
    decimals = METRICS_BY_KEY[metric].digits
    low, high = _signed(one.ours.low, decimals), _signed(one.ours.high, decimals)
    published = f" · *{_signed(one.expected, decimals)}*" if one.is_published else ""
    return f"{_signed(one.ours.mean, decimals)} ({low} to {high}){published}: {one.verdict}"


def _budget(table: Table, figures: Mapping[str, RowFigures]) -> str:
    """How every row was trained and measured; rows that are trained alike are told of at once."""
    groups: dict[str, list[str]] = {}
    for row in table.rows:
        grid = f" on a grid {row.options['coarsen']} times coarser" if "coarsen" in row.options else ""
        steps, batch = row.options.get("steps", "the recipe's"), row.options.get("batch_size", "the recipe's")
        trained = f"{steps} steps, batches of {batch}{grid}, trained on {', '.join(row.database)}"
        groups.setdefault(trained, []).append(row.title)
    trainings = [
        f"{'Every row' if len(groups) == 1 else ', '.join(titles)}: {trained}." for trained, titles in groups.items()
    ]
    measured = "; ".join(_in_words(condition) for condition in table.row(table.headline).conditions)
    seeds = sorted({seed for one in figures.values() for seed in one.seeds})
    run = f"Seeds {', '.join(map(str, seeds))}." if seeds else "Not run yet."
    return " ".join([*trainings, f"Measured on {measured}.", run])


def _in_words(condition: Condition) -> str:
    """On whom and how a condition is measured."""
    said = [", ".join(condition.database)]
    said += [f"{condition.coarsen} times coarser"] if condition.coarsen > 1 else []
    said += [f"one slice in {condition.every}"] if condition.every > 1 else []
    mask = "" if FULL.matches(condition.mask) else _mask_in_words(condition)
    title = f"{condition.title}: " if condition.title else ""
    return title + ", ".join([*said, mask] if mask else said)


def _mask_in_words(condition: Condition) -> str:
    """Name of a mask, with the acceleration where it has one."""
    has_rate = MaskSetting.ACCELERATION in family_of(condition.mask).settings
    return f"mask {condition.mask}" + (f" at R = {condition.acceleration:g}" if has_rate else "")


def _cell(metric: str, ours: Spread | None, published: float | None = None, deviation: float | None = None) -> str:
    decimals = METRICS_BY_KEY[metric].digits
    mine = "–" if ours is None else _with_deviation(ours.mean, ours.deviation, decimals)
    return mine if published is None else f"{mine} · *{_with_deviation(published, deviation, decimals)}*"


def _with_deviation(mean: float, deviation: float | None, decimals: int) -> str:
    return f"{mean:.{decimals}f}" + ("" if deviation is None else f" ± {deviation:.{decimals}f}")


def _signed(value: float, decimals: int) -> str:
    return f"{value:+.{decimals}f}".replace("-", "−")


def _markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(header)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *lines))
