"""What a table of experiments is: which rows are trained, on what they are measured, what was published."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mrviewer.errors import UnknownNameError
from mrviewer.evaluation.conditions import SamplingCondition

__all__ = ["Condition", "Row", "Table"]


@dataclass(frozen=True)
class Condition:
    """On what, and how, a trained row is measured.

    Parameters
    ----------
    name
        Short name; figures of a table with several conditions are called ``name/metric``.
    title
        What it is, in words.
    database
        Test subjects; see `mrviewer.database.open_database`.
    modality
        Image that is measured; empty for FLAIR, or the first.
    modality_sets
        Images that the method may see, measured once for each set and averaged; empty for all that there are. The
        first of a set that the method was made for is the measured one.
    mask, acceleration, center_fraction
        See `mrviewer.evaluation.conditions.SamplingCondition`; the masks ``learned`` (lines) and ``learned-2d``
        (samples) of a row that learns masks are its own.
    seed_of_run
        Draw the mask by the seed of the training, for a row that saw this one mask only; otherwise by seed 0.
    coarsen
        Pixels merged along y and along x.
    every
        Take every so-many-th slice.
    """

    name: str = ""
    title: str = ""
    database: tuple[str, ...] = ()
    modality: str = ""
    modality_sets: tuple[tuple[str, ...], ...] = ()
    mask: str = "random"
    acceleration: float = 4.0
    center_fraction: float = 0.08
    seed_of_run: bool = False
    coarsen: int = 1
    every: int = 1

    def sampling(self, seed: int) -> SamplingCondition:
        """How the test subjects are sampled for a training with a seed."""
        drawn = seed if self.seed_of_run else 0
        return SamplingCondition(self.mask, self.acceleration, self.center_fraction, drawn)

    def column(self, metric: str) -> str:
        """Name of the column with a metric of this condition."""
        return f"{self.name}/{metric}" if self.name else metric


@dataclass(frozen=True)
class Row:
    """One line of a table: a method, how it is trained, how it is measured.

    Parameters
    ----------
    name, title
        Short name, and what it is in words.
    method
        Name of a method that can be trained.
    database
        Training subjects.
    options
        Of the recipe, as they are typed after ``--set``.
    conditions
        What it is measured on.
    published, published_spread
        Figures of the paper by column, and their deviations where it prints them.
    only
        Metrics that mean something for this row; empty for all.
    is_bound
        Whether it is an upper bound, which nothing is claimed to pass.
    parts
        Of a chain ``A+B``: the rows that A and B are trained as, each with all the steps of a row.
    """

    name: str
    title: str
    method: str
    database: tuple[str, ...]
    options: Mapping[str, str]
    conditions: tuple[Condition, ...]
    published: Mapping[str, float] = field(default_factory=dict)
    published_spread: Mapping[str, float] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    is_bound: bool = False
    parts: tuple["Row", ...] = ()

    @property
    def trained(self) -> tuple["Row", ...]:
        """The rows that are trained for this one: its parts, or itself."""
        return self.parts or (self,)

    def with_options(self, options: Mapping[str, str]) -> "Row":
        """Return the same row with some options replaced, in its parts too."""
        parts = tuple(part.with_options(options) for part in self.parts)
        return replace(self, options={**self.options, **options}, parts=parts)


@dataclass(frozen=True)
class Table:
    """Rows that are held against one another.

    Parameters
    ----------
    name, title
        Name of the file, and what the table is about.
    source
        Where the published figures or the claim stand.
    published_on
        What the published figures were measured on; empty if none were published.
    claim
        What the source says, in one sentence.
    paper_scale
        What training at the published size would need.
    headline
        Row that the others are compared with: what the source proposes.
    metrics
        Figures of each condition, see `mrviewer.metrics.metric_list.METRICS`.
    rows
        In the order of the source.
    claimed
        Metrics in which the headline is said to be better than every other row, where no figures were published.
    correlate
        Two columns whose rank correlation over subjects is told; empty for none.
    published_correlation
        What the source says of it.
    notes
        Sentences that a reader needs to understand the table.
    order
        Place on the page.
    """

    name: str
    title: str
    source: str
    claim: str
    paper_scale: str
    headline: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    claimed: tuple[str, ...] = ()
    published_on: str = ""
    correlate: tuple[str, ...] = ()
    published_correlation: float | None = None
    notes: tuple[str, ...] = ()
    order: int = 0

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What the rows are measured on; a row may change how, but not which."""
        return self.rows[0].conditions

    @property
    def columns(self) -> tuple[str, ...]:
        """Every metric of every condition."""
        return tuple(one.column(metric) for one in self.conditions for metric in self.metrics)

    def row(self, name: str) -> Row:
        """Return a row by name."""
        for row in self.rows:
            if row.name == name:
                return row
        raise UnknownNameError(f"table {self.name} has no row {name!r}; it has {', '.join(r.name for r in self.rows)}")

    def with_options(self, options: Mapping[str, str]) -> "Table":
        """Return the same table with options of every row replaced."""
        return replace(self, rows=tuple(row.with_options(options) for row in self.rows))
