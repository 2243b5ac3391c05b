"""SAM and SAM 2 of random weights in transformers.js' layouts, and what transformers makes of points and boxes: scores, masks in the picture's
size, and all masks that a grid of points finds. Pictures are resized by Pillow, as the first versions of the processors did.

Run in an environment with ../requirements.txt, scipy and torchvision: `python sam.py`.
"""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from scipy.ndimage import label
from torch import nn
from transformers import (
    Sam2Config, Sam2HieraDetConfig, Sam2ImageProcessor, Sam2Model, Sam2VisionConfig, SamConfig, SamImageProcessor, SamModel,
)
from transformers.models.sam.configuration_sam import SamMaskDecoderConfig, SamPromptEncoderConfig, SamVisionConfig
from transformers.models.sam2.configuration_sam2 import Sam2MaskDecoderConfig, Sam2PromptEncoderConfig

from common import HERE, export, picture, save_picture, write_json

SIZE = 64
HIDDEN = 16
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
POINTS = {"one": [[[60, 50]], [1]], "two": [[[60, 50], [120, 20]], [1, 0]]}
BOX = [30, 15, 110, 90]
GRID = 4
# Random networks are sure of nothing.
THRESHOLDS = {"pred_iou_thresh": 0.5, "stability_score_thresh": 0.6}
LARGE = 40
BIAS = 0.6
OVERLAP = 0.7


def loud(model):
    """Weights large enough that masks depend on what is seen and on where the points are."""
    generator = torch.Generator().manual_seed(3)
    for name, weight in model.named_parameters():
        if weight.dim() > 1:
            fan = weight[0].numel()
            weight.data = torch.randn(weight.shape, generator=generator) * (1.6 / fan**0.5)
    for head in model.mask_decoder.output_hypernetworks_mlps:
        head.proj_out.weight.data *= 12
        head.proj_out.bias.data = torch.randn(head.proj_out.bias.shape, generator=generator) * 4
    # Less than half of the picture, so that boxes differ.
    model.mask_decoder.upscale_conv2.bias.data -= BIAS
    return model.eval()


def sam():
    torch.manual_seed(0)
    vision = SamVisionConfig(hidden_size=HIDDEN, output_channels=HIDDEN, num_hidden_layers=2, num_attention_heads=2, image_size=SIZE, patch_size=8, mlp_dim=24, window_size=3, global_attn_indexes=[1], num_pos_feats=HIDDEN // 2)
    prompts = SamPromptEncoderConfig(hidden_size=HIDDEN, image_size=SIZE, patch_size=8, mask_input_channels=4)
    masks = SamMaskDecoderConfig(hidden_size=HIDDEN, mlp_dim=24, num_hidden_layers=2, num_attention_heads=2, attention_downsample_rate=2, iou_head_hidden_dim=12)
    config = SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=masks)
    config.prompt_encoder_config.image_embedding_size = SIZE // 8
    return loud(SamModel(config))


def sam2():
    torch.manual_seed(0)
    backbone = Sam2HieraDetConfig(hidden_size=8, num_attention_heads=1, image_size=[SIZE, SIZE], blocks_per_stage=[1, 1, 2, 1], embed_dim_per_stage=[8, 16, 32, 64], num_attention_heads_per_stage=[1, 2, 4, 8], window_size_per_stage=[4, 4, 4, 2], global_attention_blocks=[3], window_positional_embedding_background_size=[4, 4])
    vision = Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=[64, 32, 16, 8], backbone_feature_sizes=[[SIZE // 4] * 2, [SIZE // 8] * 2, [SIZE // 16] * 2], fpn_hidden_size=HIDDEN)
    prompts = Sam2PromptEncoderConfig(hidden_size=HIDDEN, image_size=SIZE, patch_size=16, mask_input_channels=4)
    masks = Sam2MaskDecoderConfig(hidden_size=HIDDEN, mlp_dim=24, num_attention_heads=2, iou_head_hidden_dim=12)
    return loud(Sam2Model(Sam2Config(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=masks)))


class Encoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        embeddings = self.model.get_image_embeddings(pixel_values)
        if isinstance(embeddings, (list, tuple)):
            return tuple(embeddings)
        return embeddings, self.model.get_image_wide_positional_embeddings().repeat(pixel_values.shape[0], 1, 1, 1)


class Decoder(nn.Module):
    """SAM's: points alone."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image_embeddings, image_positional_embeddings, input_points, input_labels):
        sparse, dense = self.model.prompt_encoder(input_points=input_points, input_labels=input_labels, input_boxes=None, input_masks=None)
        masks, scores = self.model.mask_decoder(image_embeddings=image_embeddings, image_positional_embeddings=image_positional_embeddings, sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense, multimask_output=True)[:2]
        return scores, masks


@torch.jit.script
def join(points: torch.Tensor, boxes: torch.Tensor, none: torch.Tensor) -> torch.Tensor:
    if boxes.shape[1] > 0:
        return torch.cat([points, boxes], dim=2)
    return torch.cat([points, none.expand(points.shape[0], points.shape[1], 1, points.shape[3])], dim=2)


class Decoder2(nn.Module):
    """SAM 2's: points and boxes, of which none may be there."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_points, input_labels, input_boxes, high, middle, low):
        encoder = self.model.prompt_encoder
        points = encoder._embed_points(input_points, input_labels, pad=False)
        boxes = encoder._embed_boxes(input_boxes)
        sparse = join(points, boxes, encoder.not_a_point_embed.weight[None, None])
        dense = encoder.no_mask_embed.weight.reshape(1, -1, 1, 1).expand(low.shape[0], -1, low.shape[2], low.shape[3])
        positions = self.model.get_image_wide_positional_embeddings()
        masks, scores, _, objects = self.model.mask_decoder(image_embeddings=low, image_positional_embeddings=positions, sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense, multimask_output=True, high_resolution_features=[high, middle])
        return scores, masks, objects


def seen(image, square):
    width, height = image.size
    scale = SIZE / max(image.size)
    size = (SIZE, SIZE) if square else (int(width * scale + 0.5), int(height * scale + 0.5))
    values = np.asarray(image.resize(size, Image.BILINEAR), dtype=np.float32) / 255
    planes = torch.from_numpy(((values - MEAN) / DEVIATION).astype(np.float32).transpose(2, 0, 1))[None]
    return F.pad(planes, (0, SIZE - size[0], 0, SIZE - size[1])), size


def post_process(masks, image, size, square):
    width, height = image.size
    if square:
        return F.interpolate(masks, (height, width), mode="bilinear", align_corners=False)
    whole = F.interpolate(masks, (SIZE, SIZE), mode="bilinear", align_corners=False)[..., : size[1], : size[0]]
    return F.interpolate(whole, (height, width), mode="bilinear", align_corners=False)


def rows(mask):
    """Runs of a mask in reading order, beginning with those outside."""
    flat = mask.flatten().tolist()
    runs, now = [0], False
    for each in flat:
        if each != now:
            runs.append(0)
            now = each
        runs[-1] += 1
    return runs


@torch.no_grad()
def answers(model, image, pixels, size, square):
    scale = torch.tensor([size[0] / image.size[0], size[1] / image.size[1]])
    cases = {}
    asked = {name: (points, labels, None) for name, (points, labels) in POINTS.items()}
    if square:
        asked |= {"box": (None, None, BOX), "both": ([[60, 50]], [1], BOX)}
    for name, (points, labels, box) in asked.items():
        given = {}
        if points:
            given |= {"input_points": torch.tensor(points, dtype=torch.float32)[None, None] * scale, "input_labels": torch.tensor(labels)[None, None]}
        if box:
            given["input_boxes"] = torch.tensor(box, dtype=torch.float32)[None, None] * scale.repeat(2)
        out = model(pixel_values=pixels, multimask_output=True, **given)
        scores = out.iou_scores[0, 0]
        best = scores.argmax().item()
        masks = post_process(out.pred_masks[0], image, size, square)[0]
        cases[name] = {"scores": scores.tolist(), "best": best, "mask": rows(masks[best] > 0)}
    return cases


def without_small(mask, large):
    """Holes and islands below an area are taken away (SAM's amg.remove_small_regions, 8 neighbours)."""
    for holes in (True, False):
        wrong = mask ^ holes
        labels, count = label(wrong, structure=np.ones((3, 3)))
        areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
        small = [i + 1 for i, area in enumerate(areas) if area < large]
        if not small:
            continue
        if holes:
            mask = mask | np.isin(labels, small)
        else:
            kept = [i + 1 for i, area in enumerate(areas) if area >= large] or [int(np.argmax(areas)) + 1]
            mask = np.isin(labels, kept)
    return mask


@torch.no_grad()
def everything(model, image, pixels, size, square):
    width, height = image.size
    steps = (np.arange(GRID) + 0.5) / GRID
    grid = torch.tensor([[[x * width, y * height]] for y in steps for x in steps], dtype=torch.float32)
    scale = torch.tensor([size[0] / width, size[1] / height])
    out = model(pixel_values=pixels, input_points=(grid * scale)[None], input_labels=torch.ones(1, GRID * GRID, 1, dtype=torch.long), multimask_output=True)
    masks = post_process(out.pred_masks[0], image, size, square)
    processor = SamImageProcessor()
    kept, scores, boxes = processor.filter_masks(masks, out.iou_scores[0], (height, width), [0, 0, width, height], **THRESHOLDS)
    found, scores, *_ = processor.post_process_for_mask_generation(kept, scores, boxes, OVERLAP)
    masks = [np.asarray(mask, dtype=bool) for mask in found]
    return {
        "scores": [float(s) for s in scores],
        "masks": [rows(torch.from_numpy(mask)) for mask in masks],
        "cleaned": [rows(torch.from_numpy(without_small(mask, LARGE))) for mask in masks],
        "considered": len(kept),
    }


def main():
    image = picture()
    dims = lambda names: {name: {} for name in names}
    for family, make in (("sam", sam), ("sam2", sam2)):
        model, square, folder = make(), family == "sam2", HERE / family
        pixels, size = seen(image, square)
        levels = 3 if square else 1
        embeddings = [f"image_embeddings.{i}" for i in range(3)] if square else ["image_embeddings", "image_positional_embeddings"]
        free = {name: ["batch_size", None, None, None] for name in embeddings}
        export(Encoder(model), (pixels,), folder / "onnx/vision_encoder.onnx", {"pixel_values": ["batch_size", None, None, None]}, free)
        with torch.no_grad():
            seen_as = Encoder(model)(pixels)
        points, labels = torch.zeros(1, 2, 3, 2), torch.ones(1, 2, 3, dtype=torch.long)
        prompts = {"input_points": ["batch_size", "point_batch_size", "nb_points_per_image", None], "input_labels": ["batch_size", "point_batch_size", "nb_points_per_image"]}
        if square:
            args = (points, labels, torch.zeros(1, 2, 4), *seen_as)
            inputs = prompts | {"input_boxes": ["batch_size", "num_boxes", None]} | free
            outputs = {"iou_scores": ["batch_size", "point_batch_size", None], "pred_masks": ["batch_size", "point_batch_size", None, None, None], "object_score_logits": ["batch_size", "point_batch_size", None]}
            export(Decoder2(model), args, folder / "onnx/prompt_encoder_mask_decoder.onnx", inputs, outputs)
        else:
            outputs = {"iou_scores": ["batch_size", "point_batch_size", None], "pred_masks": ["batch_size", "point_batch_size", None, None, None]}
            export(Decoder(model), (*seen_as, points, labels), folder / "onnx/prompt_encoder_mask_decoder.onnx", free | prompts, outputs)
        write_json(folder / "config.json", {"model_type": family, "architectures": [type(model).__name__]})
        processor = {"image_mean": MEAN, "image_std": DEVIATION, "do_normalize": True, "do_rescale": True, "do_resize": True, "rescale_factor": 1 / 255, "resample": 2}
        if square:
            processor |= {"image_processor_type": "Sam2ImageProcessorFast", "size": {"height": SIZE, "width": SIZE}, "mask_size": {"height": SIZE // 4, "width": SIZE // 4}}
        else:
            processor |= {"image_processor_type": "SamImageProcessor", "size": {"longest_edge": SIZE}, "do_pad": True, "pad_size": {"height": SIZE, "width": SIZE}, "mask_size": {"longest_edge": SIZE // 4}}
        write_json(folder / "preprocessor_config.json", processor)
        write_json(folder / "cases.json", {"prompts": answers(model, image, pixels, size, square), "everything": everything(model, image, pixels, size, square)})
        save_picture(image, folder.parent / "picture.png")
        print(family, {k: (v["scores"], len(v["mask"])) for k, v in answers(model, image, pixels, size, square).items()}, len(everything(model, image, pixels, size, square)["masks"]))


if __name__ == "__main__":
    main()
