"""What follows from the wishes and the data: pure functions, no Qt, no state of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from mrviewer.assess import Assessment
from mrviewer.method import Card, Fit, Method, Task
from mrviewer.quality import slice_quality
from mrviewer.reconstruct import SliceResult
from mrviewer.sampling import Mask
from mrviewer.study import Origin, Study
from mrviewer_napari.layout import TileKind, TileSpec
from mrviewer_napari.scan import Scan

__all__ = [
    "DISCLAIMER",
    "REFERENCE",
    "ZERO_FILLED",
    "MethodFacts",
    "card_html",
    "error_key",
    "first_slice",
    "has_error_map",
    "in_order",
    "mask_facts",
    "mask_text",
    "method_facts",
    "method_numbers",
    "origin_note",
    "runnable",
    "segments",
    "study_facts",
    "task_words",
    "tile_specs",
    "tile_text",
]

DISCLAIMER = "Research software, not for diagnosis"
REFERENCE = "reference"
ZERO_FILLED = "zero-filled"
"""The one method that is quick enough to be done on the spot."""


@dataclass(frozen=True)
class MethodFacts:
    """A row of the Methods section."""

    card: Card
    fit: Fit

    @property
    def name(self) -> str:
        """Name on the command line."""
        return self.card.name


def method_facts(methods: Iterable[Method], study: Study | None, modality: str) -> tuple[MethodFacts, ...]:
    """Say of every method whether it fits; without a study all do."""
    return tuple(
        MethodFacts(method.card, Fit(True) if study is None else method.fits(study, modality)) for method in methods
    )


def in_order(methods: Iterable[Method]) -> list[Method]:
    """Sort methods as a person meets them: zero filling, what needs no training, reconstruction, segmentation."""
    return sorted(
        methods,
        key=lambda method: (
            method.card.name != ZERO_FILLED,
            method.card.weights is not None,
            Task.RECONSTRUCT not in method.card.tasks,
            segments(method.card),
            method.card.name,
        ),
    )


def runnable(facts: Sequence[MethodFacts], ticked: Sequence[str]) -> tuple[MethodFacts, ...]:
    """Methods that are ticked and fit."""
    return tuple(fact for fact in facts if fact.name in ticked and fact.fit)


def segments(card: Card) -> bool:
    """Whether a method draws lesions."""
    return Task.SEGMENT in card.tasks


def has_error_map(card: Card, scan: Scan) -> bool:
    """Whether an error map can be made: the method reconstructs, and a reference exists."""
    return Task.RECONSTRUCT in card.tasks and scan.reference is not None


def error_key(method: str) -> str:
    """Key of the tile that shows a method's error map."""
    return f"{method}:error"


def tile_specs(scan: Scan, cards: Sequence[Card]) -> tuple[TileSpec, ...]:
    """Tiles to show: the reference if there is one, each method, and an error map where one can be made."""
    tiles = []
    if scan.reference is not None:
        tiles.append(TileSpec(REFERENCE, "Reference", TileKind.IMAGE))
    tiles += [TileSpec(card.name, card.name, TileKind.IMAGE) for card in cards]
    tiles += [
        TileSpec(error_key(card.name), f"{card.name}: error", TileKind.ERROR)
        for card in cards
        if has_error_map(card, scan)
    ]
    return tuple(tiles)


def origin_note(origin: Origin) -> str:
    """What a picture must say of where its k-space comes from; empty for a scanner's own."""
    return "" if origin is Origin.SCANNER else str(origin)


def mask_text(mask: Mask) -> str:
    """Mask in a few characters, for titles."""
    return "fully sampled" if mask.achieved_acceleration == 1 else f"R = {mask.achieved_acceleration:.3g}"


def mask_facts(mask: Mask) -> str:
    """What a mask really acquires, in words."""
    acquired, total = int(np.count_nonzero(mask.pattern)), mask.pattern.size
    unit = "lines" if mask.is_line_mask else "samples"
    return f"{acquired} of {total} {unit}, achieved acceleration {mask.achieved_acceleration:.2f}"


def tile_text(card: Card, scan: Scan, result: SliceResult | None, mask_text: str) -> str:
    """Text over a method's tile: title, mask, and the quality of the shown slice where it can be known."""
    if Task.RECONSTRUCT not in card.tasks:
        return f"{card.name}\n{'on the full image' if result is not None else 'computing ...'}"
    if result is None:
        return f"{card.name}  {mask_text}\ncomputing ..."
    if result.image is None or scan.reference is None:
        return f"{card.name}  {mask_text}"
    reference = np.ascontiguousarray(scan.plane(scan.reference, result.index), np.float32)
    quality = slice_quality(result.image, reference, scan.data_range)
    numbers = [
        text
        for text in (number_text("PSNR", quality.psnr, ".1f", " dB"), number_text("SSIM", quality.ssim, ".3f"))
        if text
    ]
    return f"{card.name}  {mask_text}\n{'  '.join(numbers)}"


def number_text(label: str, value: float | None, form: str, unit: str = "") -> str:
    """``label value unit``; empty when the value is not known."""
    return "" if value is None else f"{label} {value:{form}}{unit}"


def method_numbers(assessment: Assessment) -> str:
    """Quality of a whole volume: the image in one line, the segmentation in another, without what is not known."""
    image, lesions = assessment.image, assessment.segmentation
    rows: list[tuple[str, ...]] = []
    if image is not None:
        rows.append(
            (
                number_text("PSNR", image.psnr, ".2f", " dB"),
                number_text("SSIM", image.ssim, ".4f"),
                number_text("NMSE", image.nmse, ".4f"),
            )
        )
    if lesions is not None:
        found = f"{lesions.n_lesions_found} of {lesions.n_lesions} lesions found"
        rows.append((number_text("Dice", lesions.dice, ".3f"), found))
    return "\n".join("   ".join(part for part in row if part) for row in rows)


def first_slice(scan: Scan) -> int:
    """Slice to begin with: the one with most labels, or the middle one."""
    if scan.labels is None or not scan.labels.any():
        return scan.n_slices // 2
    others = tuple(axis for axis in range(3) if axis != scan.slice_axis)
    return int(np.argmax(np.count_nonzero(scan.labels, axis=others)))


def study_facts(scan: Scan) -> tuple[tuple[str, str], ...]:
    """Rows of the Study section."""
    sizes = " x ".join(f"{size:.3g}" for size in scan.geometry.voxel_size_mm[::-1])
    matrix = " x ".join(str(n) for n in scan.geometry.shape[::-1])
    n_coils = scan.raw.shape[1]
    rows = [
        ("Matrix", matrix),
        ("Voxel size", f"{sizes} mm"),
        ("Slices", f"{scan.n_slices} {_plane_word(scan.slice_axis)}"),
        ("Coils", "1, zero phase" if scan.raw.origin is Origin.MAGNITUDE else str(n_coils)),
        ("K-space", str(scan.raw.origin)),
        ("Reference", "fully sampled" if scan.reference is not None else "none: acquired undersampled"),
        ("Labels", "none" if scan.labels is None else f"{_label_volume_ml(scan):.2f} ml"),
    ]
    return tuple(rows)


def _plane_word(slice_axis: int) -> str:
    return ("axial", "coronal", "sagittal")[slice_axis]


def _label_volume_ml(scan: Scan) -> float:
    return 0.0 if scan.labels is None else float(np.count_nonzero(scan.labels)) * scan.geometry.voxel_volume_ml


_TASK_WORDS = {
    Task.RECONSTRUCT: "reconstructs",
    Task.SEGMENT: "segments",
    Task.REGRESS: "regresses",
    Task.CLASSIFY: "classifies",
    Task.SAMPLE: "samples",
}


def task_words(card: Card) -> str:
    """What a method does."""
    return ", ".join(_TASK_WORDS[task] for task in card.tasks)


def card_html(card: Card) -> str:
    """What a method says of itself, as rich text for a tool tip."""
    parts = [f"<b>{escape(card.title)}</b> ({escape(card.name)}): {task_words(card)}"]
    if card.trained_on:
        parts.append(f"<b>Trained on</b> {escape(card.trained_on)}")
    if card.figures:
        parts.append("<b>Measured</b> " + "<br>".join(escape(figure) for figure in card.figures))
    if card.limits:
        parts.append("<b>Limits</b> " + "<br>".join(escape(limit) for limit in card.limits))
    parts.append(f"{escape(card.citation)}<br>Licence: {escape(card.licence)}")
    return "<p>" + "</p><p>".join(parts) + "</p>"
