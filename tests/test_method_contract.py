"""Every installed method keeps the contract, and listing them is quick."""

import importlib.util
import json
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from mrviewer.errors import WeightsError
from mrviewer.methods.installed import ENTRY_POINT_GROUP
from mrviewer.methods.registry import get_method, method_names
from mrviewer.testing import check_method

LIST_METHODS = """
import json, sys
from mrviewer.methods.registry import list_methods
cards = [method.card for method in list_methods()]
print(json.dumps({"names": [card.name for card in cards], "modules": sorted(sys.modules)}))
"""


@pytest.mark.parametrize("name", sorted(method_names()))
def test_contract(name: str) -> None:
    [point] = entry_points(group=ENTRY_POINT_GROUP, name=name)
    if importlib.util.find_spec(point.module) is None:
        pytest.skip(f"the package {point.module} is not there")
    method = get_method(name)
    assert method.card.name == name
    try:
        check_method(method)
    except WeightsError as error:
        if "are not there" not in str(error):
            raise
        pytest.skip(f"{name} has not been trained in this checkout: {error}")


def test_listing_methods_imports_no_network_and_no_torch() -> None:
    listed = subprocess.run([sys.executable, "-c", LIST_METHODS], check=True, capture_output=True, text=True)
    answer = json.loads(listed.stdout)
    assert sorted(answer["names"]) == sorted(method_names())
    assert not {"torch", "monai", "napari", "qtpy"} & set(answer["modules"])
    assert not [name for name in answer["modules"] if name.startswith("mrviewer_models") and name.endswith("network")]
