"""Along what the frames of a series differ."""

from enum import StrEnum

__all__ = ["FrameAxis"]


class FrameAxis(StrEnum):
    """What changes from one volume of a series to the next."""

    TIME = "time"
    CARDIAC = "cardiac phase"
    DIFFUSION = "diffusion weighting"
    UNKNOWN = "something that the file does not state"
