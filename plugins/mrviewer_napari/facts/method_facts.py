"""What the Methods section says of each method: its kind, whether it fits, its card, and its numbers. No Qt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from html import escape

from mrviewer.evaluation.assessment import Assessment, SegmentationQuality
from mrviewer.method import Card, Fit, Method, Task
from mrviewer.metrics.metric_list import METRICS_BY_KEY, by_group
from mrviewer.reconstruction.reconstruct import Reconstruction

__all__ = [
    "MethodFacts",
    "MethodKind",
    "card_html",
    "in_order",
    "kind_of",
    "long_numbers",
    "runnable",
    "segments",
    "short_numbers",
    "short_reason",
    "used_images",
]


_SPACE = "   "
_LINES = (
    tuple(metric.key for metric in by_group("image")),
    tuple(metric.key for metric in by_group("image_in_object")),
    ("dice", "precision", "recall"),
)
"""Figures of an assessment that stand in one line."""


class MethodKind(Enum):
    """What a method does, in the order in which a person meets them; the value heads its group."""

    RECONSTRUCT = "Reconstruct"
    BOTH = "Reconstruct and segment"
    UNDERSAMPLED = "Segment undersampled data"
    FULL_IMAGE = "Segment the full image"
    MEASURE = "Measure and classify"
    OTHER = "Other"
    OWN = "Your own models"
    CHAIN = "Chains"


@dataclass(frozen=True)
class MethodFacts:
    """A row of the Methods section."""

    card: Card
    fit: Fit

    @property
    def name(self) -> str:
        """Name on the command line."""
        return self.card.name


def kind_of(card: Card) -> MethodKind:
    """Group of a method, from its name and its card."""
    tasks = set(card.tasks)
    if card.is_chain:
        return MethodKind.CHAIN
    if card.parent is not None:
        return MethodKind.OWN
    if tasks & {Task.REGRESS, Task.CLASSIFY}:
        return MethodKind.MEASURE
    if Task.RECONSTRUCT in tasks:
        return MethodKind.BOTH if Task.SEGMENT in tasks else MethodKind.RECONSTRUCT
    if Task.SEGMENT in tasks:
        return MethodKind.UNDERSAMPLED if card.needs.kspace else MethodKind.FULL_IMAGE
    return MethodKind.OTHER


def in_order(methods: Iterable[Method]) -> list[Method]:
    """Sort methods as a person meets them: by kind; in each, zero filling and what needs no training come first."""
    kinds = list(MethodKind)
    return sorted(
        methods,
        key=lambda method: (
            kinds.index(kind_of(method.card)),
            not method.card.is_adjoint,
            method.card.weights is not None,
            method.card.name,
        ),
    )


def runnable(facts: Sequence[MethodFacts], ticked: Sequence[str]) -> tuple[MethodFacts, ...]:
    """Methods that are ticked and fit."""
    return tuple(fact for fact in facts if fact.name in ticked and fact.fit)


def segments(card: Card) -> bool:
    """Whether a method draws lesions."""
    return Task.SEGMENT in card.tasks


def short_reason(fact: MethodFacts) -> str:
    """Why a method does not fit, or what to mind before it runs, without the name that stands beside it."""
    return (fact.fit.reason or fact.fit.caution).removeprefix(f"{fact.name} ")


_TASK_WORDS = {
    Task.RECONSTRUCT: "reconstructs",
    Task.SEGMENT: "segments",
    Task.REGRESS: "regresses",
    Task.CLASSIFY: "classifies",
    Task.SAMPLE: "chooses its own samples",
}


def card_html(card: Card) -> str:
    """What a method says of itself, as rich text for a tool tip."""
    tasks = ", ".join(_TASK_WORDS[task] for task in card.tasks)
    parts = [f"<b>{escape(card.title)}</b> ({escape(card.name)}): {tasks}"]
    if card.parent is not None:
        parts.append(f"<b>Comes from</b> {escape(card.parent)}")
    if card.trained_on:
        parts.append(f"<b>Trained on</b> {escape(card.trained_on)}")
    if card.trained_for:
        parts.append(f"<b>For</b> {escape(card.trained_for)}")
    if card.held_out:
        parts.append("<b>These weights, on what they never saw</b><br>" + _lines(card.held_out))
    if card.figures:
        parts.append(f"<b>Measured</b> {_lines(card.figures)}")
    if card.tuned:
        parts.append(f"<b>Tuned</b> {escape(card.tuned)}")
    if card.limits:
        parts.append(f"<b>Limits</b> {_lines(card.limits)}")
    parts.append(f"{escape(card.citation)}<br>Licence: {escape(card.licence)}")
    return "<p>" + "</p><p>".join(parts) + "</p>"


def _lines(sentences: Iterable[object]) -> str:
    return "<br>".join(escape(str(sentence)) for sentence in sentences)


def short_numbers(assessment: Assessment) -> str:
    """Quality of a whole volume in one line, without what is not known."""
    parts = _sentences(assessment, ("psnr", "ssim", "dice"))
    if assessment.image is None and assessment.segmentation is not None:
        parts.append(_lesions_text(assessment.segmentation))
    return _SPACE.join(parts)


def long_numbers(assessment: Assessment, made: Reconstruction) -> str:
    """Everything that is known of a run: image, segmentation, images that were looked at, time; a line each."""
    rows = [_sentences(assessment, keys) for keys in _LINES]
    if assessment.segmentation is not None:
        rows[-1].append(_lesions_text(assessment.segmentation))
    rows.append([f"looked at {', '.join(made.modalities_used or (made.modality,))}"])
    rows.append([f"{made.seconds:.1f} s on {made.device}"])
    return "\n".join(_SPACE.join(row) for row in rows if row)


def _sentences(assessment: Assessment, keys: Iterable[str]) -> list[str]:
    """Known figures, each with its name."""
    figures = assessment.figures()
    return [text for key in keys if (text := METRICS_BY_KEY[key].sentence(figures[key]))]


def _lesions_text(lesions: SegmentationQuality) -> str:
    found = f"{lesions.lesions_found} of {lesions.lesions_reference} lesions found"
    return f"{found}, {lesions.false_regions} false region{'' if lesions.false_regions == 1 else 's'}"


def used_images(made: Reconstruction) -> str:
    """Which images a run looked at, where that is not the measured one alone."""
    used = made.modalities_used
    return "" if used in ((), (made.modality,)) else f"used {', '.join(used)}"
