"""A tiny stand-in for MoGe-2 of random weights with its graph's inputs and outputs, and what its authors' steps after the graph make of
it (formulas of microsoft/MoGe, MIT: moge/model/v2.py, moge/utils/geometry_torch.py, moge/scripts/infer.py), in NumPy and SciPy.

Run in an environment with ../requirements.txt: `python moge.py`.
"""

import numpy as np
import onnxruntime
import torch
import trimesh
from PIL import Image
from scipy.optimize import least_squares
from torch import nn
from torch.nn import functional

from common import HERE, export, save_picture, write_json

FOLDER = HERE / "moge"
FOCAL, SHIFT = 0.9, 0.4


class MoGe(nn.Module):
    """A slanted ground with bumps, a near thing where the picture is red, sky where it is blue; seen by a camera with a focal
    length of 0.9 half diagonals, but for a shift of the depths and a little disorder."""

    def __init__(self):
        super().__init__()
        self.look = nn.Sequential(nn.Conv2d(3, 6, 7, padding=3), nn.Tanh(), nn.Conv2d(6, 4, 5, padding=2))

    def forward(self, image, num_tokens):
        height, width = image.shape[-2:]
        down = (2 * torch.arange(height) + 1 - height)[:, None].expand(height, width)
        across = (2 * torch.arange(width) + 1 - width)[None, :].expand(height, width)
        diagonal = (torch.as_tensor(height) ** 2 + torch.as_tensor(width) ** 2).float().sqrt()
        u, v = across / diagonal, down / diagonal
        felt = functional.avg_pool2d(self.look(image), 5, stride=1, padding=2)[0]
        red = torch.sigmoid(60 * (image[0, 0] - image[0, 2] - 0.35))
        depth = 2.2 - 0.9 * v + 0.2 * u + 0.2 * torch.tanh(felt[0]) - 0.9 * red
        rays = torch.stack([u, v]) / FOCAL * (1 + 0.02 * torch.tanh(felt[1]))
        points = torch.cat([rays * depth, (depth - SHIFT)[None]]).permute(1, 2, 0)[None]
        normal = torch.stack([0.3 * felt[2], 0.3 * felt[3] - 0.4, -torch.ones_like(u)], dim=-1)
        sky = torch.sigmoid(40 * (image[0, 2] - image[0, 0] - 0.45))
        return points, functional.normalize(normal, dim=-1)[None], 1 - sky[None], torch.exp(0.2 + num_tokens * 1e-4)[None]


def picture(width=96, height=72):
    """Sky above, a red thing before a slope."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    ground = np.stack([120 + 40 * np.sin(x / 6), 130 + 50 * np.cos(y / 4), 90 + 20 * np.sin((x + y) / 9)], axis=-1)
    sky = np.stack([60 + 0 * x, 120 + y, 235 + 0 * x], axis=-1)
    thing = np.stack([225 - y, 50 + x / 2, 40 + 0 * x], axis=-1)
    drawn = np.where((y < 16)[..., None], sky, ground)
    drawn = np.where((np.hypot(x - 38, (y - 42) * 1.2) < 17)[..., None], thing, drawn)
    return Image.fromarray(drawn.clip(0, 255).astype(np.uint8))


def recover(points, mask, focal=None):
    height, width = mask.shape
    diagonal = np.hypot(height, width)
    rows, columns = np.arange(64) * height // 64, np.arange(64) * width // 64
    kept = mask[np.ix_(rows, columns)]
    xyz = points[np.ix_(rows, columns)][kept].astype(np.float64)
    uv = np.stack(np.broadcast_arrays((2 * columns + 1 - width)[None, :], (2 * rows + 1 - height)[:, None]), axis=-1)[kept] / diagonal

    def focal_of(shift):
        plane = xyz[:, :2] / (xyz[:, 2] + shift)[:, None]
        return focal or (plane * uv).sum() / np.square(plane).sum(), plane

    def error(shift):
        length, plane = focal_of(shift[0])
        return (length * plane - uv).ravel()

    # The reference stops at 1e-3.
    shift = least_squares(error, x0=[0.0], ftol=1e-12, xtol=1e-12, method="lm").x[0]
    return focal_of(shift)[0], shift


def scene(results, threshold, fov=None):
    points, normal, mask, scale = results[0][0], results[1][0], results[2][0], float(results[3][0])
    height, width = mask.shape
    diagonal = np.hypot(height, width)
    there = mask > 0.5
    focal, shift = recover(points, there, None if fov is None else width / diagonal / np.tan(np.radians(fov) / 2))
    length = focal * diagonal / 2
    depth = points[..., 2].astype(np.float64) + shift
    there &= depth > 0
    y, x = np.mgrid[0:height, 0:width]
    placed = np.stack([(x + 0.5 - width / 2) / length * depth, (y + 0.5 - height / 2) / length * depth, depth], axis=-1) * scale
    metres = np.where(there, depth * scale, np.inf)
    window = np.lib.stride_tricks.sliding_window_view(np.pad(metres, 1, constant_values=np.nan), (3, 3))
    with np.errstate(invalid="ignore"):
        difference = np.nanmax(window, axis=(2, 3)) - np.nanmin(window, axis=(2, 3))
        kept = there & (difference / metres <= threshold)
    number = np.cumsum(kept).reshape(kept.shape) - 1
    whole = kept[:-1, :-1] & kept[:-1, 1:] & kept[1:, :-1] & kept[1:, 1:]
    a, b, c, d = (part[whole] for part in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]))
    faces = np.concatenate([np.stack([a, c, b], axis=1), np.stack([b, c, d], axis=1)])
    mesh = trimesh.Trimesh(placed[kept] * [1, -1, -1], faces, process=False)
    shown = np.random.default_rng(4).choice(len(mesh.vertices), 30, replace=False)
    return {
        "threshold": threshold,
        **({} if fov is None else {"fov": fov}),
        "vertices": len(mesh.vertices),
        "faces": len(faces),
        "area": float(mesh.area),
        "depth": [float(metres[kept].min()), float(metres[kept].max())],
        "field_of_view": [float(np.degrees(2 * np.arctan(edge / 2 / length))) for edge in (width, height)],
        "focal": float(focal),
        "shift": float(shift),
        "shown": [
            {
                "vertex": int(i),
                "at": mesh.vertices[i].tolist(),
                "normal": (normal[kept][i] * [1, -1, -1]).tolist(),
                "uv": [float((x[kept][i] + 0.5) / width), float((y[kept][i] + 0.5) / height)],
            }
            for i in shown
        ],
    }


def main():
    torch.manual_seed(6)
    image = picture()
    save_picture(image, FOLDER / "picture.png")
    seen = torch.from_numpy(np.asarray(image).astype(np.float32) / 255).permute(2, 0, 1)[None]
    path = FOLDER / "onnx/model.onnx"
    size = [None, None, "height", "width"]
    map_of = [None, "height", "width"]
    export(MoGe(), (seen, torch.tensor(1800)), path, {"image": size, "num_tokens": []}, {"points": [*map_of, None], "normal": [*map_of, None], "mask": map_of, "metric_scale": [None]})
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def look(tokens):
        return session.run(["points", "normal", "mask", "metric_scale"], {"image": seen.numpy(), "num_tokens": np.array(tokens, dtype=np.int64)})

    write_json(FOLDER / "cases.json", [{"level": 9, **scene(look(3600), 0.04)}, {"level": 3, **scene(look(2000), 0.1, fov=50)}])


if __name__ == "__main__":
    main()
