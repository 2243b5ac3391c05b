"""Upscalers of random weights, and what PyTorch makes of a whole picture: Swin2SR by transformers, with its processor, and an RRDBNet
(X. Wang et al., "ESRGAN", 2018) as Real-ESRGAN has it: blocks of dense convolutions, added at a fifth, and nearest-neighbour enlarging.

Run in an environment with ../requirements.txt: `python upscaling.py`. Their last layer is scaled so that pictures have contrast.
"""

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution, Swin2SRImageProcessorPil

from common import HERE, export, picture, save_picture, write_json

DIMS = {"pixel_values": ["batch", None, "height", "width"]}
SIZE = (90, 70)


class Dense(nn.Module):
    def __init__(self, features, growth):
        super().__init__()
        self.steps = nn.ModuleList(nn.Conv2d(features + i * growth, growth, 3, padding=1) for i in range(4))
        self.last = nn.Conv2d(features + 4 * growth, features, 3, padding=1)

    def forward(self, x):
        seen = [x]
        for step in self.steps:
            seen.append(F.leaky_relu(step(torch.cat(seen, 1)), 0.2))
        return x + 0.2 * self.last(torch.cat(seen, 1))


class Block(nn.Module):
    def __init__(self, features, growth):
        super().__init__()
        self.parts = nn.Sequential(*(Dense(features, growth) for _ in range(3)))

    def forward(self, x):
        return x + 0.2 * self.parts(x)


class RRDBNet(nn.Module):
    def __init__(self, features=8, blocks=1, growth=4):
        super().__init__()
        conv = lambda to=features, of=features: nn.Conv2d(of, to, 3, padding=1)
        self.first, self.body, self.after = conv(of=3), nn.Sequential(*(Block(features, growth) for _ in range(blocks))), conv()
        self.up, self.again, self.high, self.last = conv(), conv(), conv(), conv(to=3)

    def forward(self, x):
        x = self.first(x)
        x = x + self.after(self.body(x))
        for up in (self.up, self.again):
            x = F.leaky_relu(up(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2)
        return self.last(F.leaky_relu(self.high(x), 0.2))


class Reconstruction(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model(pixel_values).reconstruction


def spread(layer, drawn, low=0.05, high=0.95):
    """Scales a layer's weights so that what is drawn fills the range, each colour by itself."""
    with torch.no_grad():
        for channel in range(3):
            least, most = drawn[0, channel].min(), drawn[0, channel].max()
            gain = (high - low) / (most - least)
            layer.weight[channel] *= gain
            layer.bias[channel] = (layer.bias[channel] - least) * gain + low


def as_picture(planes):
    values = (planes[0].clamp(0, 1) * 255).round().to(torch.uint8)
    return Image.fromarray(values.permute(1, 2, 0).numpy())


def as_planes(image):
    return torch.from_numpy(np.asarray(image).astype(np.float32) / 255).permute(2, 0, 1)[None]


def esrgan(image):
    torch.manual_seed(5)
    model = RRDBNet().eval()
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    planes = as_planes(image)
    with torch.no_grad():
        spread(model.last, model(planes))
        drawn = model(planes)
    export(model, (planes,), HERE / "esrgan/onnx/model.onnx", DIMS, {"output": ["batch", None, "height4", "width4"]})
    save_picture(as_picture(drawn), HERE / "esrgan/enlarged.png")
    export(model, (planes[:, :, :64, :64],), HERE / "esrgan-fixed/onnx/model.onnx", {"image": [None] * 4}, {"upscaled": [None] * 4})


def swin2sr(image):
    torch.manual_seed(6)
    config = Swin2SRConfig(image_size=64, embed_dim=12, depths=[2, 2], num_heads=[2, 2], window_size=8, mlp_ratio=2.0, upscale=2, upsampler="pixelshuffledirect")
    model = Swin2SRForImageSuperResolution(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.15)
    processor = Swin2SRImageProcessorPil(do_rescale=True, rescale_factor=1 / 255, do_pad=True, size_divisor=8)
    inputs = processor(image, return_tensors="pt")["pixel_values"]
    folder = HERE / "swin2sr"
    conv = model.upsample.conv
    with torch.no_grad():
        drawn = model(inputs).reconstruction
        for channel in range(3):  # each colour is four planes before they are shuffled
            rows = slice(channel * 4, channel * 4 + 4)
            gain = 0.9 / (drawn[0, channel].max() - drawn[0, channel].min())
            conv.weight[rows] *= gain
            conv.bias[rows] *= gain
        drawn = model(inputs).reconstruction
        for channel in range(3):
            conv.bias[channel * 4 : channel * 4 + 4] += 0.05 - drawn[0, channel].min()
        drawn = model(inputs).reconstruction[..., : image.height * 2, : image.width * 2]
    write_json(folder / "config.json", {"model_type": "swin2sr", "architectures": ["Swin2SRForImageSuperResolution"], "upscale": 2, "window_size": 8})
    write_json(folder / "preprocessor_config.json", {"do_pad": True, "do_rescale": True, "image_processor_type": "Swin2SRImageProcessor", "pad_size": 8, "rescale_factor": 1 / 255})
    export(Reconstruction(model), (torch.rand(1, 3, 64, 64),), folder / "onnx/model.onnx", DIMS, {"reconstruction": ["batch", None, "height2", "width2"]})
    save_picture(as_picture(drawn), folder / "enlarged.png")


def main():
    image = picture(*SIZE, seed=1)
    save_picture(image, HERE / "small.png")
    esrgan(image)
    swin2sr(image)


if __name__ == "__main__":
    main()
