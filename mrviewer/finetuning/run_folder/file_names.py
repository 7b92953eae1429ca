"""Names of the files in the folder of a run."""

__all__ = [
    "BEFORE",
    "BEST",
    "CHECKPOINT",
    "CONTROL",
    "EVENTS",
    "OPTIONS",
    "OUTPUT",
    "PLAN",
    "STATE",
    "SUMMARY",
    "TENSORBOARD",
    "VALIDATION",
    "WEIGHTS",
]

PLAN = "plan.json"
EVENTS = "events.jsonl"
CONTROL = "control.json"
STATE = "state.json"
OPTIONS = "options.json"
CHECKPOINT = "checkpoint.safetensors"
BEST = "best.safetensors"
WEIGHTS = "weights.safetensors"
BEFORE = "before.json"
SUMMARY = "summary.json"
VALIDATION = "validation"
TENSORBOARD = "tensorboard"
OUTPUT = "output.log"
