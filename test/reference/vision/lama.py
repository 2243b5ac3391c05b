"""A LaMa of random weights in Carve's layout, and what PyTorch and Pillow make of gaps: in a part of a picture, in a picture that is seen
smaller, and in one that is smaller than what the network sees.

The network is LaMa's in small: fast Fourier convolutions (a local and a global half, the global one also by its spectrum) between a halving
and a doubling of the size. Here PyTorch computes it with its own FFT; the graph has the same sums as products with fixed matrices, since
ONNX's transform is not exported from real ones.

Run in an environment with ../requirements.txt and scipy: `python lama.py`.
"""

import math

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import binary_dilation, label
from torch import nn

from common import HERE, export, picture, save_picture

SIZE = 64
INNER = SIZE // 2
FEATURES = 12
AROUND = 1 / 6


class Spectrum(nn.Module):
    """A convolution of real and imaginary parts, side by side. `exact`: by torch.fft, as the authors' FourierUnit."""

    def __init__(self, features, size):
        super().__init__()
        self.mix = nn.Conv2d(2 * features, 2 * features, 1)
        self.exact = True
        n, half = torch.arange(size, dtype=torch.float64), size // 2 + 1
        full = 2 * math.pi * torch.outer(n, n) / size
        cut = full[:, :half]
        # The inverse over the half that is kept: all but the first and the last column stand for their twins too.
        twins = torch.tensor([1.0] + [2.0] * (half - 2) + [1.0], dtype=torch.float64)
        for name, value in {
            "cos_w": cut.cos(), "sin_w": cut.sin(), "cos_h": full.cos(), "sin_h": full.sin(),
            "back_cos": (cut.cos() * twins).T, "back_sin": (cut.sin() * twins).T,
        }.items():
            self.register_buffer(name, value.float() / math.sqrt(size), persistent=False)

    def forward(self, x):
        real, imaginary = self.split(x)
        mixed = torch.relu(self.mix(torch.cat([real, imaginary], 1)))
        return self.join(*mixed.chunk(2, 1))

    def split(self, x):
        if self.exact:
            spectrum = torch.fft.rfftn(x, dim=(-2, -1), norm="ortho")
            return spectrum.real, spectrum.imag
        a, b = x @ self.cos_w, -(x @ self.sin_w)
        return self.cos_h @ a + self.sin_h @ b, self.cos_h @ b - self.sin_h @ a

    def join(self, real, imaginary):
        if self.exact:
            return torch.fft.irfftn(torch.complex(real, imaginary), s=(INNER, INNER), dim=(-2, -1), norm="ortho")
        a, b = self.cos_h @ real - self.sin_h @ imaginary, self.cos_h @ imaginary + self.sin_h @ real
        return a @ self.back_cos - b @ self.back_sin


class FourierBlock(nn.Module):
    def __init__(self, features, size):
        super().__init__()
        half = features // 2
        self.near, self.to_far, self.to_near = (nn.Conv2d(half, half, 3, padding=1, padding_mode="reflect") for _ in range(3))
        self.far = Spectrum(half, size)

    def forward(self, x):
        near, far = x.chunk(2, 1)
        return x + torch.tanh(torch.cat([self.near(near) + self.to_near(far), self.to_far(near) + self.far(far)], 1))


class Lama(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(4, FEATURES, 5, stride=2, padding=2)
        self.blocks = nn.Sequential(FourierBlock(FEATURES, INNER), FourierBlock(FEATURES, INNER))
        self.up = nn.ConvTranspose2d(FEATURES, FEATURES, 4, stride=2, padding=1)
        self.last = nn.Conv2d(FEATURES, 3, 3, padding=1, padding_mode="reflect")

    def forward(self, image, mask):
        seen = torch.cat([image * (1 - mask), mask], 1)
        drawn = torch.sigmoid(2 * self.last(torch.relu(self.up(self.blocks(torch.relu(self.down(seen)))))))
        return (mask * drawn + (1 - mask) * image) * 255

    def by(self, exact):
        for block in self.blocks:
            block.far.exact = exact
        return self


def tiny():
    torch.manual_seed(11)
    model = Lama()
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.data *= 2.2
    return model.eval()


def masks():
    """By the name of the case. White rounds and a bar; the last case's picture is a corner that is smaller than what the network sees."""
    y, x = np.mgrid[0:110, 0:150]
    return {
        "two": (np.hypot(x - 30, y - 30) < 9) | (np.hypot(x - 125, y - 95) < 8) | ((abs(x - 139) < 3) & (abs(y - 98) < 5)),
        "large": (abs(x - 80) < 38) & (abs(y - 50) < 30),
        "corner": ((np.hypot(x - 20, y - 25) < 10) & (x < 50))[:40, :50],
    }


def within(centre, length, most):
    return min(max(0, math.floor(centre - length / 2)), most - length)


def fill(model, image, mask):
    """Gaps that are far from each other have parts of their own; of those here no two fit into one but the neighbours at the lower right."""
    left = mask.copy()
    whole = np.asarray(image).copy()
    height, width = mask.shape
    room = math.floor(SIZE * (1 - 2 * AROUND))
    regions, count = label(mask, np.ones((3, 3)))
    groups = []
    for each in range(1, count + 1):
        region = regions == each
        for at, group in enumerate(groups):
            ys, xs = np.nonzero(group | region)
            if max(np.ptp(ys), np.ptp(xs)) + 1 <= room:
                groups[at] = group | region
                break
        else:
            groups.append(region)
    for group in groups:
        ys, xs = np.nonzero(group)
        top, bottom, begin, end = ys.min(), ys.max() + 1, xs.min(), xs.max() + 1
        wished = max(SIZE, math.ceil(max(bottom - top, end - begin) / (1 - 2 * AROUND)))
        w, h = min(wished, width), min(wished, height)
        x0, y0 = within((begin + end) / 2, w, width), within((top + bottom) / 2, h, height)
        box = np.s_[y0 : y0 + h, x0 : x0 + w]
        scale = min(1, SIZE / max(w, h))
        seen = (round(w * scale), round(h * scale))
        beyond = ((0, SIZE - seen[1]), (0, SIZE - seen[0]))
        colours = np.asarray(Image.fromarray(whole[box]).resize(seen, Image.BILINEAR))
        gaps = np.asarray(Image.fromarray(left[box].astype(np.uint8) * 255).resize(seen, Image.BILINEAR)) > 0
        colours = np.pad(colours, (*beyond, (0, 0)), mode="symmetric").transpose(2, 0, 1)[None] / 255
        with torch.no_grad():
            answer = model(torch.tensor(colours, dtype=torch.float32), torch.tensor(np.pad(gaps, beyond, mode="symmetric")[None, None]).float())
        drawn = answer[0].numpy().transpose(1, 2, 0)[: seen[1], : seen[0]]
        drawn = np.asarray(Image.fromarray(np.clip(drawn + 0.5, 0, 255).astype(np.uint8)).resize((w, h), Image.BICUBIC))
        inside = group[box]
        whole[box][inside] = drawn[inside]
        left &= ~group
    return Image.fromarray(whole)


def main():
    folder = HERE / "lama"
    model = tiny()
    image, empty = torch.rand(1, 3, SIZE, SIZE), torch.zeros(1, 1, SIZE, SIZE)
    empty[:, :, 20:40, 10:50] = 1
    with torch.no_grad():
        apart = (model.by(True)(image, empty) - model.by(False)(image, empty)).abs().max()
    assert apart < 0.01, apart
    dims = [None, None, None, None]
    export(model.by(False), (image, empty), folder / "onnx/model.onnx", {"image": dims, "mask": dims}, {"output": dims})
    shown = picture()
    for name, mask in masks().items():
        seen = shown.crop((0, 0, mask.shape[1], mask.shape[0]))
        save_picture(Image.fromarray(mask.astype(np.uint8) * 255), folder / f"{name}-mask.png")
        save_picture(fill(model.by(True), seen, mask), folder / f"{name}.png")
    wide = binary_dilation(masks()["two"], np.ones((11, 11)))
    save_picture(Image.fromarray(wide.astype(np.uint8) * 255), folder / "two-wide.png")


if __name__ == "__main__":
    main()
