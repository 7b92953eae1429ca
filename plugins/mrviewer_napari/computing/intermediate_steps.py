"""Estimates on the way to the shown slice, so that a person can look inside a method. No Qt."""

from dataclasses import replace

from mrviewer.reconstruction.reconstruct import SliceResult
from mrviewer_napari.computing.outcomes import Request, SliceAnswer

__all__ = ["IntermediateSteps"]


class IntermediateSteps:
    """Steps of the latest slice of each method; those of a whole volume would fill the memory."""

    def __init__(self) -> None:
        self._answers: dict[str, SliceAnswer] = {}
        self._names: dict[str, tuple[str, ...]] = {}

    def take(self, answer: SliceAnswer) -> None:
        """Keep the steps of an answer, and note what they are called, or that there are none."""
        method = answer.request.method
        self._names[method] = answer.result.step_names if answer.result.steps is not None else ()
        if self._names[method]:
            self._answers[method] = answer
        else:
            self._answers.pop(method, None)

    def forget_slices(self) -> None:
        """Drop the steps; which methods give some is still known."""
        self._answers.clear()

    def names(self, method: str) -> tuple[str, ...]:
        """Names of the steps that a method gave when it last ran; empty for a method that gives none."""
        return self._names.get(method, ())

    def has(self, request: Request, index: int) -> bool:
        """Whether the steps of a slice are there."""
        answer = self._answers.get(request.method)
        return answer is not None and answer.request == request and answer.result.index == index

    def step(self, request: Request, index: int, number: int) -> SliceResult | None:
        """Return the slice with a step in the place of its image; `None` while it is not there."""
        if not self.has(request, index):
            return None
        result = self._answers[request.method].result
        if result.steps is None or not 0 <= number < len(result.steps):
            return None
        return replace(result, image=result.steps[number])
