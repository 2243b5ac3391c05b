"""Background removers of random weights in the layouts of BiRefNet (logits, one size) and MODNet (shares, any size), and what Python makes
of their masks: Pillow's resizing, and the colours of the foreground by blur fusion (M. Forte, ICIP 2021) in NumPy and SciPy.

Run in an environment with ../requirements.txt and scipy: `python matting.py`.
"""

import numpy as np
import onnxruntime
import torch
from PIL import Image
from scipy.ndimage import uniform_filter
from torch import nn

from common import HERE, export, picture, save_picture, write_json

SIZE = 64
FAMILIES = {
    "birefnet": {
        "config": {"model_type": "birefnet"},
        "processor": {"do_normalize": True, "do_rescale": True, "do_resize": True, "feature_extractor_type": "ViTFeatureExtractor", "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 2, "rescale_factor": 1 / 255, "size": {"width": SIZE, "height": SIZE}},
        "names": ("input_image", "output_image"),
    },
    "modnet": {
        "config": {"model_type": "modnet"},
        "processor": {"do_normalize": True, "do_pad": False, "do_rescale": True, "do_resize": True, "feature_extractor_type": "ImageFeatureExtractor", "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 2, "rescale_factor": 1 / 255, "size": {"shortest_edge": 48}, "size_divisibility": 16},
        "names": ("input", "output"),
    },
}


class Matting(nn.Module):
    """Random convolutions around a hand-made notion of the subject (red), so that masks have soft edges and full insides."""

    def __init__(self, shares):
        super().__init__()
        self.shares = shares
        self.layers = nn.Sequential(nn.Conv2d(3, 6, 5, padding=2), nn.Tanh(), nn.Conv2d(6, 1, 3, padding=1))

    def forward(self, x):
        red = x[:, :1] - x[:, 2:3]
        logits = 6 * red + 2 * self.layers(x)
        return torch.sigmoid(logits) if self.shares else logits


def refine(image, alpha):
    """The foreground's colours, values in [0, 1]."""

    def blur(values, size):
        return uniform_filter(values, size=(size, size, 1), mode="mirror")

    def fuse(front, back, size):
        share = blur(alpha, size)
        front = blur(front * alpha, size) / (share + 1e-5)
        back = blur(back * (1 - alpha), size) / (1 - share + 1e-5)
        return np.clip(front + alpha * (image - alpha * front - (1 - alpha) * back), 0, 1), back

    return fuse(*fuse(image, image, 90), 6)[0]


def seen_size(image, processor):
    size = processor["size"]
    if "width" in size:
        return size["width"], size["height"]
    scale = size["shortest_edge"] / min(image.size)
    return tuple(int(edge * scale) // processor["size_divisibility"] * processor["size_divisibility"] for edge in image.size)


def mask_of(folder, image, processor, names):
    seen = np.asarray(image.resize(seen_size(image, processor), processor["resample"]), dtype=np.float64)
    values = (seen * processor["rescale_factor"] - processor["image_mean"]) / processor["image_std"]
    session = onnxruntime.InferenceSession(str(folder / "onnx/model.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run([names[1]], {names[0]: values.transpose(2, 0, 1)[None].astype(np.float32)})
    shares = found[0, 0] if found.min() >= 0 and found.max() <= 1 else 1 / (1 + np.exp(-found[0, 0].astype(np.float64)))
    return Image.fromarray((shares * 255).astype(np.uint8)).resize(image.size, Image.BICUBIC)


def main():
    image = picture()
    save_picture(image, HERE / "picture.png")
    for name, family in FAMILIES.items():
        torch.manual_seed(3)
        folder = HERE / name
        write_json(folder / "config.json", family["config"])
        write_json(folder / "preprocessor_config.json", family["processor"])
        fixed = name == "birefnet"
        dims = [None, None, None, None] if fixed else [None, None, "height", "width"]
        export(Matting(shares=not fixed), (torch.zeros(1, 3, SIZE, SIZE),), folder / "onnx/model.onnx", {family["names"][0]: dims}, {family["names"][1]: dims})
        mask = mask_of(folder, image, family["processor"], family["names"])
        save_picture(mask, folder / "mask.png")
        colours = refine(np.asarray(image) / 255.0, np.asarray(mask)[..., None] / 255.0)
        save_picture(Image.fromarray((colours * 255).astype(np.uint8)), folder / "foreground.png")


if __name__ == "__main__":
    main()
