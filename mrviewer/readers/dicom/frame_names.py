"""What tells the repetitions of a volume apart, in words."""

from collections.abc import Callable

from mrviewer.readers.dicom.frame import Frame
from mrviewer.readers.dicom.stack import Stack

__all__ = ["frame_names"]

_FACTS: tuple[tuple[Callable[[Frame], float], str], ...] = (
    (lambda frame: frame.moment.b_value, "b {:g} s/mm2"),
    (lambda frame: frame.moment.trigger_ms, "trigger {:g} ms"),
    (lambda frame: frame.moment.temporal_position, "time point {:g}"),
)


def frame_names(stack: Stack) -> tuple[str, ...]:
    """What tells each repetition of a stack apart: every fact that is not the same in all; empty for one repetition.

    Where two repetitions agree in all facts, they are numbered.
    """
    if len(stack.frames) < 2:
        return ()
    firsts = [next(frame for frame in volume if frame is not None) for volume in stack.frames]
    told: list[list[str]] = [[] for _ in firsts]
    for fact, words in _FACTS:
        values = [fact(frame) for frame in firsts]
        if len(set(values)) > 1:
            for parts, value in zip(told, values, strict=True):
                parts.append(words.format(value))
    names = [", ".join(parts) for parts in told]
    if len(set(names)) < len(names):
        names = [", ".join(filter(None, (f"volume {number}", name))) for number, name in enumerate(names, 1)]
    return tuple(names)
