"""Where tiles go: nothing lost, nothing twice, errors under their images."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrviewer.errors import InputError
from mrviewer_napari.facts.tile_key import TileKey, TileKind, TileSpec
from mrviewer_napari.tiles.layout import lay_out

SQUARE = (200.0, 200.0)


def specs(n_methods: int, *, errors: bool = True) -> list[TileSpec]:
    keys = [f"m{number}" for number in range(n_methods)]
    images = [TileSpec(TileKey(key), key) for key in ("reference", *keys)]
    return images + [TileSpec(TileKey(key, TileKind.ERROR), key) for key in keys if errors]


@given(st.integers(0, 8), st.booleans(), st.tuples(st.floats(100, 3000), st.floats(100, 3000)), st.floats(50, 300))
def test_every_tile_has_one_cell_and_errors_lie_under_their_images(
    n_methods: int, errors: bool, canvas: tuple[float, float], height: float
) -> None:
    tiles = specs(n_methods, errors=errors)
    layout = lay_out(tiles, canvas, (height, 200.0))
    assert len(layout.cells) == layout.rows * layout.columns
    assert sorted(key for key in layout.cells if key) == sorted(tile.key for tile in tiles)
    for key in (tile.key for tile in tiles if tile.kind is TileKind.ERROR):
        assert layout.cells.index(key) - layout.cells.index(key.removesuffix(":error")) == layout.columns


def test_a_wide_canvas_has_one_row_of_reconstructions() -> None:
    assert lay_out(specs(3), (1000, 1500), SQUARE).cells == (
        *("reference", "m0", "m1", "m2"),
        *(None, "m0:error", "m1:error", "m2:error"),
    )


def test_a_tall_canvas_has_several() -> None:
    layout = lay_out(specs(3), (2000, 500), SQUARE)
    assert (layout.rows, layout.columns) == (4, 2)


def test_an_error_map_needs_an_image() -> None:
    with pytest.raises(InputError, match="'ghost:error' has no image tile"):
        lay_out([*specs(1), TileSpec(TileKey("ghost", TileKind.ERROR), "")], (1, 1), SQUARE)


def test_a_key_twice_is_refused() -> None:
    with pytest.raises(InputError, match="every key once"):
        lay_out([*specs(1), *specs(0)], (1, 1), SQUARE)


def test_no_tile_is_refused() -> None:
    with pytest.raises(InputError, match="at least one image"):
        lay_out([], (1, 1), SQUARE)
