"""Depth models of random weights in transformers.js' layout (Depth Anything, DPT, Depth Pro) and the depths that transformers makes of
what they give.

Run in an environment with ../requirements.txt: `python depth.py`.
"""

import numpy as np
import torch
from PIL import Image
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    DepthProConfig,
    DepthProForDepthEstimation,
    Dinov2Config,
    DPTConfig,
    DPTForDepthEstimation,
)
from transformers.models.depth_pro.image_processing_depth_pro import DepthProImageProcessor
from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

from common import HERE, export, picture, save_picture, write_json

OUT = HERE / "depth"
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
USUAL = {"do_normalize": True, "do_rescale": True, "do_resize": True, "rescale_factor": 1 / 255}


def dinov2(image_size):
    return Dinov2Config(hidden_size=16, num_hidden_layers=4, num_attention_heads=2, mlp_ratio=2, image_size=image_size, patch_size=14, out_indices=[1, 2, 3, 4], apply_layernorm=True, reshape_hidden_states=False)


def depth_anything(kind):
    config = DepthAnythingConfig(backbone_config=dinov2(70), patch_size=14, reassemble_hidden_size=16, neck_hidden_sizes=[4, 4, 8, 8], fusion_hidden_size=8, head_hidden_size=4, depth_estimation_type=kind, max_depth=20 if kind == "metric" else 1)
    processor = USUAL | IMAGENET | {"image_processor_type": "DPTImageProcessor", "do_pad": False, "ensure_multiple_of": 14, "keep_aspect_ratio": True, "resample": 3, "size": {"width": 70, "height": 70}, "size_divisor": None}
    return DepthAnythingForDepthEstimation(config), processor


def dpt():
    config = DPTConfig(hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=32, image_size=64, patch_size=16, backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[4, 4, 8, 8], fusion_hidden_size=8, reassemble_factors=[4, 2, 1, 0.5], is_hybrid=False)
    processor = USUAL | HALF | {"image_processor_type": "DPTImageProcessor", "do_pad": False, "ensure_multiple_of": 1, "keep_aspect_ratio": False, "resample": 3, "size": {"width": 64, "height": 64}}
    return DPTForDepthEstimation(config), processor


def depth_pro():
    parts = {"model_type": "dinov2", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 2, "image_size": 32, "patch_size": 8}
    config = DepthProConfig(fusion_hidden_size=8, patch_size=32, intermediate_hook_ids=[1, 0], intermediate_feature_dims=[8, 8], scaled_images_ratios=[0.25, 0.5, 1], scaled_images_overlap_ratios=[0.0, 0.5, 0.25], scaled_images_feature_dims=[16, 16, 8], use_fov_model=True, image_model_config=parts, patch_model_config=parts, fov_model_config=parts)
    processor = USUAL | HALF | {"image_processor_type": "DepthProImageProcessor", "resample": 2, "size": {"width": 128, "height": 128}}
    return DepthProForDepthEstimation(config), processor


class Named(torch.nn.Module):
    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, pixel_values):
        found = self.model(pixel_values=pixel_values)
        return tuple(found[name] for name in self.names)


def seen(image, processor):
    """As the processors that resize by Pillow do, DPT's by its own rule for sizes."""
    if processor["image_processor_type"] == "DPTImageProcessor":
        kept = {key: value for key, value in processor.items() if key != "image_processor_type"}
        return DPTImageProcessorPil(**kept)(image, return_tensors="pt")["pixel_values"]
    values = np.asarray(image.resize((processor["size"]["width"], processor["size"]["height"]), processor["resample"]), dtype=np.float64)
    values = (values * processor["rescale_factor"] - processor["image_mean"]) / processor["image_std"]
    return torch.from_numpy(values.transpose(2, 0, 1)[None]).float()


def post(model, outputs, image, processor):
    size = [(image.height, image.width)]
    if isinstance(model, DepthProForDepthEstimation):
        return DepthProImageProcessor(resample=processor["resample"]).post_process_depth_estimation(outputs, size)[0]["predicted_depth"]
    return DPTImageProcessorPil().post_process_depth_estimation(outputs, size)[0]["predicted_depth"]


def spread(model):
    """Networks as they are begun hardly tell one pixel from another: these do, and see the world at an angle of about 50 degrees."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 1.6 / max(1, parameter[0].numel()) ** 0.5)
            elif name.endswith("bias"):
                parameter.fill_(0.05)
        if isinstance(model, DepthProForDepthEstimation):
            list(model.fov_model.parameters())[-1].fill_(50)


def main():
    image = picture()
    cases = {}
    for name, (model, processor) in {"relative": depth_anything("relative"), "metric": depth_anything("metric"), "dpt": dpt(), "depth-pro": depth_pro()}.items():
        torch.manual_seed(5)
        model.apply(model._init_weights)
        spread(model)
        model.eval()
        values = seen(image, processor)
        with torch.no_grad():
            outputs = model(pixel_values=values)
        depth = post(model, outputs, image, processor).double()
        is_nearness = name in ("relative", "dpt")
        nearness = depth if is_nearness else 1 / depth.clamp(min=0.1)
        shares = (nearness - nearness.min()) / (nearness.max() - nearness.min())
        save_picture(Image.fromarray((shares * 255).round().numpy().astype(np.uint8)), OUT / name / "depth.png")
        cases[name] = {"minimum": depth.min().item(), "maximum": depth.max().item(), "metres": not is_nearness}
        names = ["predicted_depth"] + (["field_of_view"] if name == "depth-pro" else [])
        dims = [None, None, None, None] if name == "depth-pro" else ["batch", None, "height", "width"]
        outs = {"predicted_depth": ["batch", "h", "w"]} | ({"field_of_view": ["batch"]} if name == "depth-pro" else {})
        export(Named(model, names), (values,), OUT / name / "onnx/model.onnx", {"pixel_values": dims}, outs)
        config = {"model_type": model.config.model_type, "architectures": [type(model).__name__]}
        if name == "metric":
            config["depth_estimation_type"] = "metric"
        write_json(OUT / name / "config.json", config)
        write_json(OUT / name / "preprocessor_config.json", processor)
    write_json(OUT / "cases.json", cases)
    print(cases)


if __name__ == "__main__":
    main()
