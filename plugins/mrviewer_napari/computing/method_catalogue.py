"""What can be run on the open study: the installed methods, and the chains that a person makes of them. No Qt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from mrviewer.errors import UnknownNameError
from mrviewer.images.image_look import ImageLook
from mrviewer.method import Fit, Method, Task, caution_of_look
from mrviewer.methods.chain import Chain
from mrviewer.study import Study
from mrviewer_napari.facts.method_facts import MethodFacts, in_order, runnable

__all__ = ["MethodCatalogue"]


class MethodCatalogue:
    """Methods by name, and which of them fit what is open.

    Parameters
    ----------
    methods
        The installed ones.
    """

    def __init__(self, methods: Iterable[Method]) -> None:
        self._installed = {method.card.name: method for method in in_order(methods)}
        self._methods = dict(self._installed)
        self._facts: tuple[MethodFacts, ...] = ()
        self._study: Study | None = None
        self._modality = ""
        self._look: ImageLook | None = None
        self._ask()

    @property
    def methods(self) -> Mapping[str, Method]:
        """Every method in the order of the panel, chains last."""
        return MappingProxyType(self._methods)

    @property
    def facts(self) -> tuple[MethodFacts, ...]:
        """Every method, and whether it fits what is open; without a study all do."""
        return self._facts

    @property
    def reconstructors(self) -> tuple[str, ...]:
        """Methods that a chain may begin with."""
        return tuple(name for name, method in self._installed.items() if Task.RECONSTRUCT in method.card.tasks)

    @property
    def segmenters(self) -> tuple[str, ...]:
        """Methods that a chain may end with: those that segment images."""
        cards = (method.card for method in self._installed.values())
        return tuple(card.name for card in cards if Task.SEGMENT in card.tasks and not card.needs.kspace)

    def shown(self, ticked: Sequence[str]) -> tuple[Method, ...]:
        """Methods that are ticked and fit, in their order."""
        return tuple(self._methods[fact.name] for fact in runnable(self._facts, ticked))

    @property
    def cautioned(self) -> frozenset[str]:
        """Methods that can be run, and whose cards do not speak of images like this one."""
        return frozenset(fact.name for fact in self._facts if fact.fit.ok and fact.fit.caution)

    def look_at(self, study: Study, modality: str) -> None:
        """Ask every method about another study or modality."""
        self._study, self._modality, self._look = study, modality, None
        self._ask()

    def see(self, look: ImageLook | None) -> None:
        """Know what the image looks like, which is read after it is shown."""
        self._look = look
        self._ask()

    def set_installed(self, methods: Iterable[Method]) -> tuple[str, ...]:
        """Have these methods from now on; returns the names of chains that lost a part, and went.

        A method that is still there stays the same object, so that its results stay valid; one of the same name but
        with other weights takes its place.
        """
        fresh = {method.card.name: method for method in in_order(methods)}
        kept = {name: self._installed[name] for name in fresh if self._installed.get(name) == fresh[name]}
        chains = [name for name in self._methods if name not in self._installed]
        self._installed = {**fresh, **kept}
        lost = tuple(name for name in chains if not set(name.split("+")) <= set(self._installed))
        rest = {name: self._methods[name] for name in chains if name not in lost}
        self._methods = {**self._installed, **rest}
        self._ask()
        return lost

    def set_chains(self, names: Sequence[str]) -> None:
        """Have these chains, ``A+B`` each, and no others.

        Raises
        ------
        UnknownNameError, InputError
            If there is no such method, or two cannot follow each other; everything stays as it was.
        """
        chains = {name: self._methods.get(name) or self._chain(name) for name in names}
        self._methods = {**self._installed, **chains}
        self._ask()

    def _chain(self, name: str) -> Method:
        first, _, second = name.partition("+")
        for part in (first, second):
            if part not in self._installed:
                raise UnknownNameError(f"there is no method {part!r}; a chain is made of {', '.join(self._installed)}")
        return Chain(self._installed[first], self._installed[second])

    def _ask(self) -> None:
        self._facts = tuple(MethodFacts(method.card, self._fit(method)) for method in self._methods.values())

    def _fit(self, method: Method) -> Fit:
        if self._study is None:
            return Fit(True)
        fit = method.fits(self._study, self._modality)
        told = "" if self._look is None else caution_of_look(method.card, self._modality, self._look)
        return replace(fit, caution="; ".join(filter(None, (fit.caution, told))))
