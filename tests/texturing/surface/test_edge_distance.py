"""How far a pixel lies from the nearest edge is the same, to the last bit, in every run."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from underpaint_daemon.worker.texturing.cameras.visibility import edge_distance

from helpers.meshes.sync_scene import torus, views_of


def test_the_distance_to_an_edge_is_right_to_the_last_bit() -> None:
    for view in views_of(torus(16, 8), 96):
        distance = edge_distance(view).numpy()
        exact = distance_transform_edt(np.pad(distance > 0, 1))[1:-1, 1:-1]
        assert distance.max() > 5
        assert np.array_equal(distance, exact.astype(np.float32))
