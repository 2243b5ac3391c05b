"""Torch modules of diffusers and transformers with the weights read back out of the exported graphs."""

import json
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo"


def state_of(path, prefix):
    """Every initialiser under its torch name. The exporter keeps most names; it folds and renames the transposed
    weights of Linear layers and the affine part of GroupNorm, whose names are then in the name of the node."""
    graph = onnx.load(str(path)).graph
    values = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    for node in graph.node:  # equal tensors are stored once, and the other name is an Identity of it
        if node.op_type == "Identity" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]]
    state = {name: v for name, v in values.items() if name.startswith(prefix)}
    for node in graph.node:
        module = ".".join(node.name.split("/")[1:-1])
        for name in node.input:
            if name not in values or name.startswith(prefix):
                continue
            if node.op_type in ("MatMul", "Gemm") and values[name].dim() == 2:
                state.setdefault(f"{module}.weight", values[name].T if node.op_type == "MatMul" else values[name])
            elif node.op_type in ("Mul", "Add") and values[name].dim() >= 3:
                state.setdefault(f"{module}.{'weight' if node.op_type == 'Mul' else 'bias'}", values[name].flatten())
    return {name.removeprefix(prefix): v for name, v in state.items()}


def fill(model, state):
    wanted = model.state_dict()
    missing = [k for k in wanted if k not in state and not k.endswith("position_ids")]
    if missing:
        raise SystemExit(f"not found in the graph: {missing[:8]} ({len(missing)} in all)")
    model.load_state_dict({k: state[k].reshape(wanted[k].shape) for k in wanted if k in state}, strict=False)
    return model.eval()


def _config(path):
    return {k: v for k, v in json.loads(path.read_text()).items() if not k.startswith("_")}


def text_encoder(folder=DEMO / "diffusion"):
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(**_config(folder / "text_encoder/config.json"))
    return fill(CLIPTextModel(config), state_of(folder / "text_encoder/model.onnx", "model."))


def unet(folder=DEMO / "diffusion"):
    from diffusers import UNet2DConditionModel

    model = UNet2DConditionModel.from_config(json.loads((folder / "unet/config.json").read_text()))
    return fill(model, state_of(folder / "unet/model.onnx", "model."))


def vae(folder=DEMO / "diffusion"):
    from diffusers import AutoencoderKL

    model = AutoencoderKL.from_config(json.loads((folder / "vae_decoder/config.json").read_text()))
    return fill(model, state_of(folder / "vae_encoder/model.onnx", "vae.") | state_of(folder / "vae_decoder/model.onnx", "vae."))


def clip(folder=DEMO / "clip"):
    from transformers import CLIPConfig, CLIPModel

    config = CLIPConfig(**_config(folder / "config.json"))
    return fill(CLIPModel(config), state_of(folder / "onnx/model.onnx", "model."))
