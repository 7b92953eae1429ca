"""Layers lie where the patient lay, and every slice of them is within reach."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel

from mrviewer.geometry import Geometry
from mrviewer_napari.tiles.napari_layers import blank_layer, contour_layer, image_layer, place, place_blank

pytestmark = pytest.mark.usefixtures("qapp")

edges = st.floats(0.2, 8)
sizes = st.integers(2, 400)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(sizes, sizes, sizes),
    voxel=st.tuples(edges, edges, edges),
    origin=st.tuples(*[st.floats(-300, 300)] * 3),
)
def test_the_sliders_reach_every_slice(
    shape: tuple[int, int, int], voxel: tuple[float, float, float], origin: tuple[float, float, float]
) -> None:
    geometry = Geometry.axial(shape, voxel)
    affine = geometry.affine.copy()
    affine[:3, 3] += origin
    placed = replace(geometry, affine=affine)
    viewer = ViewerModel()
    layers = [image_layer(Geometry.axial((2, 2, 2), (1.0, 1.0, 1.0)))]
    place(layers[0], placed)
    layers[0].data = np.broadcast_to(np.zeros(1, np.float32), shape)
    layers.append(blank_layer(placed))
    for layer in layers:
        viewer.add_layer(layer)
    assert tuple(int(count) for count in viewer.dims.nsteps) == shape
    assert np.allclose(layers[0].scale, voxel, atol=1e-6)
    assert np.allclose(layers[0].translate, -affine[2::-1, 3], atol=1e-6)


def test_a_volume_whose_rows_are_three_voxels_long_is_no_colour_picture() -> None:
    geometry = Geometry.axial((5, 4, 3), (1.0, 1.0, 1.0))
    for layer in (image_layer(geometry), contour_layer(geometry)):
        assert layer.ndim == 3


def test_a_blank_layer_covers_its_grid() -> None:
    geometry = Geometry.axial((5, 4, 6), (3.0, 1.0, 2.0))
    image, blank = image_layer(geometry), blank_layer(geometry)
    place_blank(blank, geometry)
    half_voxel = np.array([[-1.5, -0.5, -1.0], [1.5, 0.5, 1.0]])
    half_blank = np.array([[-0.5], [0.5]]) * blank.scale
    assert np.allclose(np.add(image.extent.world, half_voxel), np.add(blank.extent.world, half_blank))
