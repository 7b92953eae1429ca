"""What the event log of a run tells so far: curves, the latest picture, time left, notes. No Qt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["RunHistory", "ScoreSeries", "smoothed"]

_LARGEST = 1e300
"""No value of a curve is larger; a whole number in a damaged log may be."""
_POINTS = 600
"""More than these cannot be told apart in a panel."""


@dataclass
class ScoreSeries:
    """Values over steps."""

    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, step: int, value: float) -> None:
        """Append a value; a run that was resumed from an earlier step goes on from there."""
        while self.steps and self.steps[-1] >= step:
            self.steps.pop()
            self.values.pop()
        self.steps.append(step)
        self.values.append(value)

    def thinned(self) -> "ScoreSeries":
        """Every so many values, enough for a small plot; the last is always among them."""
        stride = max(1, -(-len(self.steps) // _POINTS))
        start = (len(self.steps) - 1) % stride if self.steps else 0
        return ScoreSeries(self.steps[start::stride], self.values[start::stride])


@dataclass
class RunHistory:
    """Everything that the panel shows of a run while it goes on.

    Parameters
    ----------
    loss
        Training loss of each step.
    validation
        Each score of the validation cases.
    step, total_steps
        How far it is.
    seconds_left, memory_bytes
        As the run itself reckons; `None` while it does not know.
    device
        Where it runs.
    picture
        Latest validation picture, a path inside the run folder.
    notes
        What a person should know, the latest last.
    failure
        Why it failed, in one sentence.
    """

    loss: ScoreSeries = field(default_factory=ScoreSeries)
    validation: dict[str, ScoreSeries] = field(default_factory=dict)
    step: int = 0
    total_steps: int = 0
    seconds_left: float | None = None
    memory_bytes: float | None = None
    device: str = ""
    picture: str = ""
    notes: list[str] = field(default_factory=list)
    failure: str = ""

    def take(self, events: Iterable[Mapping[str, object]]) -> bool:
        """Take events in their order; says whether there were any."""
        count = 0
        for event in events:
            self._take(event)
            count += 1
        return bool(count)

    def _take(self, event: Mapping[str, object]) -> None:
        kind = event["event"]
        self.total_steps = _whole(event.get("total_steps"), self.total_steps)
        device = event.get("device")
        self.device = device if isinstance(device, str) else self.device
        if kind == "step":
            self._take_step(event)
        elif kind == "validation" or (kind == "zero_shot" and not self.validation):  # a resumed run tells it again
            self._take_validation(event)
        elif kind in ("note", "memory"):
            self.notes.append(str(event.get("message", "")))
        elif kind == "failed":
            self.failure = str(event.get("message", ""))
        elif kind == "start":
            self.failure = ""

    def _take_step(self, event: Mapping[str, object]) -> None:
        self.step = _whole(event.get("step"), self.step)
        loss = _number(event.get("loss"))
        if loss is not None:
            self.loss.add(self.step, loss)
        self.seconds_left = _number(event.get("seconds_left"))
        self.memory_bytes = _number(event.get("memory_bytes"))

    def _take_validation(self, event: Mapping[str, object]) -> None:
        step = _whole(event.get("step"), 0)
        metrics = event.get("metrics")
        for name, value in (metrics if isinstance(metrics, dict) else {}).items():
            number = _number(value)
            if number is not None:
                self.validation.setdefault(name, ScoreSeries()).add(step, number)
        picture = event.get("picture")
        if isinstance(picture, str) and picture:
            self.picture = picture


def smoothed(series: ScoreSeries, weight: float = 0.9) -> ScoreSeries:
    """Average each value with those before it, which count ever less; unbiased at the beginning."""
    total, mass, values = 0.0, 0.0, []
    for value in series.values:
        total = weight * total + (1 - weight) * value
        mass = weight * mass + (1 - weight)
        values.append(total / mass)
    return ScoreSeries(list(series.steps), values)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return None
    return float(value)


def _whole(value: object, otherwise: int) -> int:
    number = _number(value)
    return otherwise if number is None else int(number)
