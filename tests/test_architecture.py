"""The promises of the layout: who imports whom, what is public, what stays unloaded."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (ROOT / "mrviewer", ROOT / "plugins" / "mrviewer_napari", ROOT / "models" / "mrviewer_models")
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
FRONTS = [path for path in MODULES if path.name == "__init__.py"]


PAGES = {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")}
WRITTEN_PAGES = {"tables.md"}
"""What the program writes by itself."""


def _label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _python(code: str, *arguments: str) -> str:
    """Run code in a fresh interpreter, and return what it printed."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _exported(tree: ast.Module) -> list[str] | None:
    """The names in ``__all__``; `None` where there is none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def _defined(tree: ast.Module) -> Iterator[str]:
    """Functions and classes that a module defines in the open."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def _bound(tree: ast.Module) -> set[str]:
    """Every name that a module binds at its top level."""
    names = set(_defined(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _module_name(path: Path) -> str:
    shelf = next(package.parent for package in PACKAGES if path.is_relative_to(package))
    return ".".join(path.relative_to(shelf).with_suffix("").parts).removesuffix(".__init__")


EXPORTS = {_module_name(path): _exported(_tree(path)) or [] for path in MODULES}


@cache
def _imported_modules(path: Path) -> frozenset[str]:
    """Dotted names of all that a module imports, wherever in it it does so."""
    names: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def _imported(path: Path) -> frozenset[str]:
    """Top-level names of all packages that a module imports."""
    return frozenset(name.partition(".")[0] for name in _imported_modules(path))


@cache
def _distributions() -> dict[str, list[str]]:
    """Distributions that bring each importable name."""
    return dict(packages_distributions())


def _declared(extra: str | None) -> set[str]:
    """Distributions that pyproject.toml asks for, with one extra or none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    return {canonicalize_name(Requirement(one).name) for one in wanted}


@pytest.mark.parametrize(
    ("package", "extras", "witnesses"),
    [
        (PACKAGES[0], ("fast", "raw", "train"), ("cc3d", "twixtools", "lightning_fabric")),
        (PACKAGES[1], ("gui",), ("napari",)),
        (PACKAGES[2], (None,), ("torch",)),
    ],
    ids=["core", "plugin", "models"],
)
def test_what_is_imported_is_asked_for(
    package: Path, extras: tuple[str | None, ...], witnesses: tuple[str, ...]
) -> None:
    if any(find_spec(witness) is None for witness in witnesses):
        pytest.skip(f"the packages of the extras {extras} are not installed here")
    distributions = _distributions()
    allowed = set().union(*(_declared(extra) for extra in extras))
    ours = {path.name for path in PACKAGES}
    undeclared = {
        f"{_label(path)}: {name}"
        for path in sorted(package.rglob("*.py"))
        for name in _imported(path) - ours - sys.stdlib_module_names
        if not allowed & {canonicalize_name(one) for one in distributions.get(name, [])}
    }
    assert undeclared == set()


# What is never imported by name, and what for.
UNNAMED = {
    "python-gdcm": "pydicom decodes pixels with it",
    "pyside6-essentials": "qtpy stands before it",
    "nilearn": "its files are read, see mrviewer/phantom/anatomy.py",
}


@pytest.mark.parametrize("extra", [None, "fast", "raw", "train", "gui"])
def test_what_is_asked_for_is_imported(extra: str | None) -> None:
    imported = {name for path in MODULES for name in _imported(path)}
    distributions = _distributions()
    used = {canonicalize_name(one) for name in imported for one in distributions.get(name, [])}
    asked = _declared(extra) - (_declared(None) if extra else set())
    if not asked & used:
        pytest.skip(f"the packages of the extra {extra} are not installed here")
    assert asked - used - set(UNNAMED) == set()


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"NO_COLOR": "1", "COLUMNS": "120"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("path", MODULES, ids=_label)
def test_all_names_what_is_there(path: Path) -> None:
    tree = _tree(path)
    exported = _exported(tree)
    if exported is None:
        assert not list(_defined(tree)) or path.name == "__main__.py", "public functions or classes, but no __all__"
        return
    assert len(exported) == len(set(exported))
    assert set(exported) - _bound(tree) == set(), "__all__ promises what is not there"
    assert [name for name in exported if name.startswith("_") and name != "__version__"] == []


@pytest.mark.parametrize("path", MODULES, ids=_label)
def test_modules_take_from_one_another_only_what_is_exported(path: Path) -> None:
    tree = _tree(path)
    hidden = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in EXPORTS
        for alias in node.names
        if alias.name not in [*EXPORTS[node.module], "__version__"] and f"{node.module}.{alias.name}" not in EXPORTS
    }
    assert hidden == set(), "export it in __all__ of its module"


@pytest.mark.parametrize("path", FRONTS, ids=_label)
def test_a_package_front_holds_no_logic(path: Path) -> None:
    tree = _tree(path)
    assert ast.get_docstring(tree), "say in one paragraph what the package is for"
    assert not list(_defined(tree))


def _homes_of_names(names_of: Callable[[Path], Iterable[str]]) -> dict[str, list[str]]:
    """Modules by the names that they give to something."""
    homes: dict[str, list[str]] = {}
    for path in MODULES:
        for name in names_of(path):
            homes.setdefault(name, []).append(_label(path))
    return homes


def test_no_three_modules_share_a_name() -> None:
    """But for folders of methods, which have the same modules each."""
    methods = PACKAGES[2]
    homes = _homes_of_names(
        lambda path: () if path.stem.startswith("__") or path.is_relative_to(methods) else (path.stem,)
    )
    assert {name: found for name, found in homes.items() if len(found) > 2} == {}


def test_no_two_classes_share_a_name() -> None:
    """Neither in the core nor in the front end; networks of several methods may."""

    def classes(path: Path) -> list[str]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        return [node.name for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]

    homes = _homes_of_names(classes)
    networks = f"{_label(PACKAGES[2])}/"
    assert {
        name: found
        for name, found in homes.items()
        if len(found) > 1 and not all(home.startswith(networks) for home in found)
    } == {}


def test_only_the_panel_and_the_application_know_the_session() -> None:
    """Sections and windows are handed the one object that they show."""
    users = {_label(path) for path in MODULES if "mrviewer_napari.session" in _imported_modules(path)}
    assert users == {"plugins/mrviewer_napari/app.py", "plugins/mrviewer_napari/panel.py"}


LARGE_ROOMS = {
    "mrviewer/commands": "one module a command",
    "mrviewer/sampling": "one module a mask family",
}


def test_rooms_of_the_core_are_small() -> None:
    counted = Counter(_label(path.parent) for path in MODULES if path.is_relative_to(PACKAGES[0]))
    assert {room for room, n_modules in counted.items() if n_modules > 16} == set(LARGE_ROOMS)


def test_listing_methods_loads_neither_torch_nor_a_screen() -> None:
    heavy = _python(
        "import sys; from mrviewer.methods.registry import list_methods; assert [m.card for m in list_methods()];"
        "print(*sorted({'torch', 'napari', 'qtpy', 'monai'} & set(sys.modules)))"
    )
    assert heavy.split() == []


def _without_screen() -> list[str]:
    """Modules of the core and of the networks."""
    return [name for name in EXPORTS if not name.startswith("mrviewer_napari") and not name.endswith("__main__")]


@cache
def _imported_without_screen_and_training() -> tuple[int, str]:
    """How many modules a fresh interpreter imports without these packages, and what ``train`` says in it."""
    said = _python(
        "import importlib, sys\n"
        "for absent in ('napari', 'qtpy', 'PySide6', 'PyQt6', 'superqt', 'pyqtgraph', 'vispy', 'npe2', 'pytest',\n"
        "               'lightning_fabric'):\n"
        "    sys.modules[absent] = None\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(len(sys.argv) - 1)\n"
        "from mrviewer.cli import main\n"
        "sys.argv[1:] = ['train', 'unet-full', '--database', 'simulated:2', '--output', 'never-made']\n"
        "sys.stderr = sys.stdout\n"
        "main()",
        *_without_screen(),
    )
    count, _, rest = said.partition("\n")
    return int(count), " ".join(rest.split())


def test_only_training_needs_fabric() -> None:
    assert 'install it with pip install "mrviewer[train]"' in _imported_without_screen_and_training()[1]
    assert not Path("never-made").exists()


def test_core_and_networks_import_where_no_screen_toolkit_is_installed() -> None:
    assert _imported_without_screen_and_training()[0] == len(_without_screen()) > 10


def test_every_page_that_the_code_cites_is_there() -> None:
    known = {page.name for page in PAGES} | {_label(page) for page in PAGES} | WRITTEN_PAGES
    files = [*MODULES, *(ROOT / "models").rglob("*.toml")]
    cited = {
        (_label(file), name)
        for file in files
        for name in re.findall(r"[\w/-]+\.md\b", file.read_text(encoding="utf-8"))
    }
    assert sorted(one for one in cited if one[1] not in known) == []
