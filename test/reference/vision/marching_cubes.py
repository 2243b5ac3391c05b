"""What scikit-image's marching cubes finds in a smooth density and in numbers thrown with dice.

Run in an environment with ../requirements.txt: `python marching_cubes.py`.
"""

import json

import numpy as np
from skimage import measure

from common import HERE


def ring(size=20):
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, size)] * 3, indexing="ij")
    return 0.35 - np.hypot(np.hypot(x, y) - 0.55, z) + 0.03 * np.sin(5 * x) * np.cos(4 * y)


def facts(values, level, method):
    # What scikit-image calls ascent has its triangles counter-clockwise as seen from where values are low.
    vertices, faces, _, _ = measure.marching_cubes(values, level, method=method, gradient_direction="ascent")
    corners = vertices[faces].astype(np.float64)
    return {
        "vertices": np.round(vertices[np.lexsort(vertices.T)], 4).tolist(),
        "faces": len(faces),
        "area": float(measure.mesh_surface_area(vertices, faces)),
        "volume": float(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6),
    }


def main():
    smooth = ring()
    dice = np.random.default_rng(5).integers(0, 10, (9, 9, 9))
    # Closed all around.
    for axis in range(3):
        dice = np.swapaxes(dice, 0, axis)
        dice[0], dice[-1] = 0, 0
        dice = np.swapaxes(dice, 0, axis)
    cases = {
        "ring": {"level": 0.1, "values": np.round(smooth, 5).ravel().tolist(), **facts(np.round(smooth, 5).astype(np.float32), 0.1, "lewiner")},
        "dice": {"level": 5.5, "values": dice.ravel().tolist(), **facts(dice.astype(np.float32), 5.5, "lorensen")},
    }
    (HERE / "marching-cubes.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
