"""A tiny TripoSR of random weights in both published layouts, and what the reference's steps make of its scene (formulas of
VAST-AI-Research/TripoSR, MIT: tsr/utils.py, tsr/models/nerf_renderer.py, tsr/models/isosurface.py, tsr/system.py).

Run in an environment with ../requirements.txt: `python triposr.py`.
"""

import numpy as np
import torch
import trimesh
from PIL import Image
from skimage import measure
from torch import nn
from torch.nn import functional

from common import HERE, export, save_picture, write_json

SIZE, CHANNELS, TEXELS = 64, 8, 16
RADIUS, BIAS, THRESHOLD = 0.87, -1.0, 25.0
FOLDER = HERE / "triposr"


class Encoder(nn.Module):
    """An egg by hand (minus half of the squared distance in two axes on each plane), dented by what is in the picture."""

    def __init__(self):
        super().__init__()
        self.look = nn.Conv2d(3, 3 * CHANNELS, 5, padding=2)
        middle = (torch.arange(TEXELS) + 0.5) / TEXELS * 2 - 1
        down, across = torch.meshgrid(middle, middle, indexing="ij")
        planes = torch.zeros(3, CHANNELS, TEXELS, TEXELS)
        planes[:, 0] = -(across**2 + down**2) / 2
        # Beside the middle along each axis by another measure, so that none can be mistaken for another: x, y, z.
        planes[1, 0] += 0.25 * across
        planes[0, 0] += 0.15 * down
        planes[2, 0] -= 0.08 * down
        self.register_buffer("ball", planes)
        self.register_buffer("depth", torch.tensor([0.05] + [1.0] * (CHANNELS - 1)).reshape(1, 1, -1, 1, 1))

    def forward(self, image):
        seen = torch.tanh(self.look(functional.avg_pool2d(image - 0.5, SIZE // TEXELS)))
        seen = seen.reshape(1, 3, CHANNELS, TEXELS, TEXELS)
        return self.ball + seen * self.depth


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3 * CHANNELS, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4))

    def forward(self, features):
        """Activated density and colour, both as the published graphs give them."""
        found = self.layers(features)
        inside = 9 + 14 * (features[:, 0] + features[:, CHANNELS] + features[:, 2 * CHANNELS]) + 2 * found[:, 0]
        return torch.exp(inside + BIAS)[:, None], torch.sigmoid(12 * found[:, 1:])


def sample(planes, points):
    """[1, 3, C, H, W] and [N, 3] -> [N, 3 C]"""
    places = points / RADIUS
    pairs = torch.stack([places[:, [0, 1]], places[:, [0, 2]], places[:, [1, 2]]])
    found = functional.grid_sample(planes[0], pairs[:, None], mode="bilinear", align_corners=False)
    return found[:, :, 0].permute(2, 0, 1).reshape(points.shape[0], -1)


class WholeDecoder(nn.Module):
    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, scene_codes, points):
        density, colour = self.decoder(sample(scene_codes, points[0]))
        return density[None], colour[None]


def picture(size=90):
    """A thing in three colours on nothing, not in the middle, with soft edges."""
    y, x = np.mgrid[0 : size * 3 // 4, 0:size].astype(np.float64)
    share = np.clip((size * 0.24 - np.hypot(x - size * 0.6, (y - size * 0.4) * 1.3)) / 3 + 0.5, 0, 1)
    colour = np.stack([210 - y, 60 + 100 * (np.sin(x / 5) > 0), 40 + 2 * y], axis=-1)
    return Image.fromarray(np.concatenate([colour, 255 * share[..., None]], axis=-1).clip(0, 255).astype(np.uint8))


def seen(image, ratio):
    rgba = np.asarray(image)
    rows, columns = np.nonzero(rgba[..., 3] > 0)
    cut = rgba[rows.min() : rows.max(), columns.min() : columns.max()]
    edge = max(cut.shape[:2])
    for side in (edge, int(edge / ratio)):
        before = [(side - length) // 2 for length in cut.shape[:2]]
        cut = np.pad(cut, [(first, side - length - first) for first, length in zip(before, cut.shape[:2])] + [(0, 0)])
    values = cut.astype(np.float32) / 255
    grey = (255 * (values[..., :3] * values[..., 3:] + (1 - values[..., 3:]) * 0.5)).astype(np.uint8)
    planes = torch.from_numpy(grey.astype(np.float32) / 255).permute(2, 0, 1)[None]
    return grey, functional.interpolate(planes, (SIZE, SIZE), mode="bilinear", align_corners=False, antialias=True)


@torch.no_grad()
def mesh_of(decoder, planes, resolution):
    line = torch.linspace(-RADIUS, RADIUS, resolution)
    grid = torch.stack(torch.meshgrid(line, line, line, indexing="ij"), dim=-1).reshape(-1, 3)
    density = torch.cat([decoder(sample(planes, part))[0] for part in grid.split(100_000)]).reshape([resolution] * 3)
    vertices, faces, _, _ = measure.marching_cubes(density.numpy(), THRESHOLD, gradient_direction="ascent")
    vertices = vertices / (resolution - 1) * 2 * RADIUS - RADIUS
    colours = decoder(sample(planes, torch.from_numpy(vertices.astype(np.float32))))[1].numpy()
    # From x to the viewer, y to the right, z up to glTF's axes.
    mesh = trimesh.Trimesh(vertices[:, [1, 2, 0]], faces, process=False)
    shown = np.random.default_rng(1).choice(len(vertices), 40, replace=False)
    return {
        "resolution": resolution,
        "vertices": len(vertices),
        "faces": len(faces),
        "area": float(mesh.area),
        "volume": float(mesh.volume),
        "bounds": mesh.bounds.tolist(),
        "mean_colour": (255 * colours).mean(axis=0).tolist(),
        "shown": [{"at": np.round(mesh.vertices[i], 5).tolist(), "colour": np.round(255 * colours[i], 2).tolist()} for i in shown],
    }


def main():
    torch.manual_seed(11)
    encoder, decoder = Encoder().eval(), Decoder().eval()
    image = picture()
    save_picture(image, FOLDER / "picture.png")
    grey, pixels = seen(image, 0.9)
    save_picture(Image.fromarray(grey), FOLDER / "subject.png")
    with torch.no_grad():
        planes = encoder(pixels)
    fixed = [None] * 5
    for layout in ("whole", "features"):
        name = "scene_codes" if layout == "whole" else "triplane"
        export(encoder, (pixels,), FOLDER / layout / "encoder.onnx", {"image": [None] * 4}, {name: fixed})
    points = torch.zeros(1, 7, 3)
    export(WholeDecoder(decoder), (planes, points), FOLDER / "whole/decoder.onnx", {"scene_codes": fixed, "points": [None, "points", None]}, {"density": [None, "points", None], "color": [None, "points", None]})
    export(decoder, (torch.zeros(7, 3 * CHANNELS),), FOLDER / "features/decoder.onnx", {"features": ["points", None]}, {"density": ["points", None], "color": ["points", None]})
    random = np.random.default_rng(2)
    few = torch.from_numpy(random.normal(size=(1, 3, 2, 4, 5)).astype(np.float32))
    # Some of them beyond the planes.
    some = torch.from_numpy(random.uniform(-1, 1, (12, 3)).astype(np.float32))
    write_json(
        FOLDER / "cases.json",
        {
            "planes": few.flatten().tolist(),
            "points": some.flatten().tolist(),
            "features": sample(few, some).flatten().tolist(),
            "meshes": [mesh_of(decoder, planes, resolution) for resolution in (40, 150)],
        },
    )


if __name__ == "__main__":
    main()
