"""Every method by name: those of installed packages, the person's own models, and chains of two."""

from mrviewer.method import Method
from mrviewer.methods.chain import Chain
from mrviewer.methods.installed import installed_method, installed_names
from mrviewer.methods.own import find_own_method, own_methods, own_model_names

__all__ = ["get_method", "list_methods", "method_names"]


def method_names() -> tuple[str, ...]:
    """Names of all methods: those that are installed, then the person's own models as they are on the disk now."""
    return (*installed_names(), *own_model_names())


def get_method(name: str) -> Method:
    """Load a method, or a model of the person's own, by name; ``A+B`` is `A`'s reconstruction segmented by `B`.

    Raises
    ------
    UnknownNameError
        If no installed package offers it, and no own model has this name.
    InputError
        If two methods cannot follow each other.
    """
    first, plus, second = name.partition("+")
    if plus and name not in installed_names():
        return Chain(get_method(first), get_method(second))
    own = None if name in installed_names() else find_own_method(name)
    return installed_method(name) if own is None else own


def list_methods() -> list[Method]:
    """All installed methods, in the order of their registration, then the person's own models."""
    return [*(installed_method(name) for name in installed_names()), *own_methods()]
