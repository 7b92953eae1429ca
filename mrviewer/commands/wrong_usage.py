"""Wrong usage of the command line: said in plain and short words, whatever was typed."""

from typing import cast

import typer

from mrviewer.commands.terminal import say
from mrviewer.plain_text import plain, shortened

__all__ = ["WRONG_USAGE", "tell_usage"]

LONGEST = 300
"""Signs of a message; arguments of any length are repeated in it."""
WRONG_USAGE = cast("type[Exception]", next(kind for kind in typer.BadParameter.__mro__ if kind.__base__ is Exception))
"""What all errors of wrong usage are made of; typer does not export it, and where it lies depends on the version."""


def tell_usage(error: Exception) -> int:
    """Say what was wrong and how to use the command, and return the exit status.

    Parameters
    ----------
    error
        Of the kind `WRONG_USAGE`.
    """
    wrong = cast("typer.BadParameter", error)
    if wrong.ctx is not None:
        say(wrong.ctx.get_usage())
        say(f"Try '{wrong.ctx.command_path} --help' for help.")
    say(f"Error: {shortened(plain(' '.join(wrong.format_message().split())), LONGEST)}")
    return wrong.exit_code
