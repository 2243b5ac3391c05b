"""Classifiers (ViT) and detectors (DETR, YOLOS, RT-DETR) of random weights in transformers.js' layout, and the names and boxes that
transformers makes of what they give.

Run in an environment with ../requirements.txt: `python labelling.py`.
"""

import numpy as np
import torch
from transformers import (
    DetrConfig,
    DetrForObjectDetection,
    ResNetConfig,
    RTDetrConfig,
    RTDetrForObjectDetection,
    RTDetrResNetConfig,
    ViTConfig,
    ViTForImageClassification,
    YolosConfig,
    YolosForObjectDetection,
)
from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil
from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil
from transformers.models.yolos.image_processing_pil_yolos import YolosImageProcessorPil

from common import HERE, export, picture, write_json

OUT = HERE / "labelling"
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
USUAL = {"do_normalize": True, "do_rescale": True, "do_resize": True, "rescale_factor": 1 / 255}
NAMES = ["person", "bicycle", "cat", "N/A", "dog"]
LABELS = {"id2label": dict(enumerate(NAMES)), "label2id": {name: i for i, name in enumerate(NAMES)}}


def vit(names):
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    config = ViTConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=32, patch_size=8, **labels)
    return ViTForImageClassification(config), ViTImageProcessorPil, USUAL | HALF | {"resample": 2, "size": {"height": 32, "width": 32}}


def detr():
    backbone = ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage4"])
    config = DetrConfig(use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config=backbone, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, num_queries=12, **LABELS)
    return DetrForObjectDetection(config), DetrImageProcessorPil, USUAL | IMAGENET | {"do_pad": True, "resample": 2, "size": {"shortest_edge": 64, "longest_edge": 80}}


def yolos():
    config = YolosConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=[64, 80], patch_size=16, num_detection_tokens=10, use_mid_position_embeddings=False, **LABELS)
    return YolosForObjectDetection(config), YolosImageProcessorPil, USUAL | IMAGENET | {"do_pad": True, "resample": 2, "size": {"shortest_edge": 64, "longest_edge": 80}}


def rt_detr():
    backbone = RTDetrResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage2", "stage3", "stage4"])
    config = RTDetrConfig(backbone_config=backbone, encoder_hidden_dim=16, encoder_in_channels=[8, 16, 16], feat_strides=[8, 16, 32], encoder_ffn_dim=16, encoder_attention_heads=2, d_model=16, num_queries=7, decoder_in_channels=[16, 16, 16], decoder_ffn_dim=16, decoder_layers=1, decoder_attention_heads=2, num_denoising=0, anchor_image_size=None, **LABELS)
    return RTDetrForObjectDetection(config), RTDetrImageProcessorPil, USUAL | IMAGENET | {"do_normalize": False, "do_pad": False, "resample": 2, "size": {"height": 64, "width": 64}}


class Named(torch.nn.Module):
    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, pixel_values, pixel_mask=None):
        mask = {} if pixel_mask is None else {"pixel_mask": pixel_mask}
        found = self.model(pixel_values=pixel_values, **mask)
        return tuple(found[name] for name in self.names)


def spread(model):
    """Networks as they are begun hardly tell one thing from another."""
    torch.manual_seed(5)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 1.5 / max(1, parameter[0].numel()) ** 0.5)
            elif name.endswith("bias"):
                parameter.normal_(0, 0.3)


def main():
    image = picture()
    cases = {}
    families = {"vit": vit(["tabby", "tench", "teapot", "tank", "toucan"]), "nsfw": vit(["sfw", "nsfw"]), "detr": detr(), "yolos": yolos(), "rt-detr": rt_detr()}
    for name, (model, processor, settings) in families.items():
        spread(model)
        model.eval()
        values = processor(**settings)(image, return_tensors="pt")
        values.pop("pixel_mask", None)
        with torch.no_grad():
            outputs = model(**values)
        detects = "logits" in outputs and "pred_boxes" in outputs
        inputs, args = {"pixel_values": ["batch", None, "height", "width"]}, [values["pixel_values"]]
        if name == "detr":
            inputs["pixel_mask"] = ["batch", "height", "width"]
            args.append(torch.ones(1, *values["pixel_values"].shape[-2:], dtype=torch.int64))
        wanted = {"logits": ["batch"]} | ({"pred_boxes": ["batch"]} if detects else {})
        if name in ("rt-detr", "yolos", "vit", "nsfw"):
            inputs["pixel_values"] = [None] * 4
            wanted = {each: [None] for each in wanted}
        export(Named(model, list(wanted)), tuple(args), OUT / name / "onnx/model.onnx", inputs, wanted)
        if detects:
            (found,) = processor(**settings).post_process_object_detection(outputs, threshold=0.3, target_sizes=[(image.height, image.width)])
            order = found["scores"].argsort(descending=True)
            cases[name] = [{"score": found["scores"][i].item(), "label": model.config.id2label[found["labels"][i].item()], "corners": found["boxes"][i].tolist()} for i in order]
        else:
            shares = outputs.logits[0].softmax(-1)
            cases[name] = [{"label": model.config.id2label[i.item()], "score": shares[i].item()} for i in shares.argsort(descending=True)]
        kind = processor.__name__.removesuffix("Pil")
        write_json(OUT / name / "config.json", {"model_type": model.config.model_type, "architectures": [type(model).__name__], "id2label": model.config.id2label})
        write_json(OUT / name / "preprocessor_config.json", settings | {"image_processor_type": kind})
    write_json(OUT / "cases.json", cases)
    for name, found in cases.items():
        print(name, len(found), found[:3])


if __name__ == "__main__":
    main()
