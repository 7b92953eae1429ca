"""``mrviewer cache``: what is kept to save time, and how to be rid of it."""

from typing import Annotated

import typer

from mrviewer.commands.options import AsJson
from mrviewer.commands.terminal import print_json, say
from mrviewer.files.cache import MOST_BYTES, MOST_DAYS, cache_facts, clear_cache

__all__ = ["cache"]


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all that no running training uses.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say how large the cache of prepared training data is, or empty it."""
    removed = clear_cache() if clear else 0
    facts = cache_facts()
    if as_json:
        print_json(
            {
                "folder": str(facts.folder),
                "files": facts.n_files,
                "bytes": facts.n_bytes,
                "in_use": facts.n_in_use,
                "removed": removed,
                "most_bytes": MOST_BYTES,
                "most_days": MOST_DAYS,
            }
        )
        return
    if clear:
        say(f"removed {removed} file(s)")
    say(
        f"{facts.n_files} file(s), {facts.n_bytes / 1e9:.2f} GB, {facts.n_in_use} in use, in {facts.folder}; they go "
        f"after {MOST_DAYS:.0f} days without use, or above {MOST_BYTES / 1e9:.0f} GB"
    )
