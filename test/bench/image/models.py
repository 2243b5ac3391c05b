"""A UNet of a published size with random weights as a graph with the names that optimum's export gives.

    python models.py FOLDER SHAPE        (packages: models.ts)

SHAPE is a JSON object: `config`, the fields of diffusers' UNet2DConditionModel, and `bits`, 32 for weights as they are or 8 for
those of linear layers in blocks of 8 bits (MatMulNBits), where all of them at 32 bits would not fit into the memory of a small
machine twice. The weights take no memory while the graph is traced: each is one number seen many times.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from diffusers import UNet2DConditionModel
from torch import nn

BLOCK = 32
NAMES = {"sample", "timestep", "encoder_hidden_states", "text_embeds", "time_ids"}


def traced(config, path):
    """The graph alone: its weights are inputs of it."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(**config).eval()
    for module in unet.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                module._parameters[name] = nn.Parameter(torch.full((1,), 0.01).expand(parameter.shape), requires_grad=False)
    is_xl = config.get("addition_embed_type") == "text_time"

    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.unet = unet

        def forward(self, sample, timestep, states, *added):
            given = dict(zip(("text_embeds", "time_ids"), added)) or None
            return self.unet(sample, timestep, states, added_cond_kwargs=given, return_dict=False)[0]

    args = [torch.randn(2, 4, 16, 16), torch.tensor([500.0]), torch.randn(2, 77, config["cross_attention_dim"])]
    dims = {"sample": {0: "batch_size", 2: "height", 3: "width"}, "encoder_hidden_states": {0: "batch_size", 1: "sequence_length"}}
    names = ["sample", "timestep", "encoder_hidden_states"]
    if is_xl:
        args += [torch.randn(2, config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"]), torch.full((2, 6), 256.0)]
        names += ["text_embeds", "time_ids"]
        dims |= {"text_embeds": {0: "batch_size"}, "time_ids": {0: "batch_size"}}
    with torch.no_grad():
        torch.onnx.export(Named(), tuple(args), str(path), input_names=names, output_names=["out_sample"], dynamic_axes=dims | {"out_sample": {0: "batch_size", 2: "height", 3: "width"}},
                          opset_version=17, dynamo=False, export_params=False, do_constant_folding=False,
                          # In any other mode weights of equal numbers become one.
                          training=torch.onnx.TrainingMode.PRESERVE)
    return onnx.load(str(path))


class Weights:
    """Random numbers in the file beside the graph, written as they come."""

    def __init__(self, folder):
        self.file = open(folder / "model.onnx_data", "wb")
        random = np.random.default_rng(1)
        self.normal = random.standard_normal(2**22).astype(np.float32)
        self.bytes = random.integers(64, 193, 2**22).astype(np.uint8)
        self.tensors = []

    def stored(self, name, array):
        start = -self.file.tell() % 64 + self.file.tell()
        self.file.seek(start)
        array.tofile(self.file)
        kind = {np.dtype(np.uint8): TensorProto.UINT8, np.dtype(np.float32): TensorProto.FLOAT}[array.dtype]
        tensor = TensorProto(name=name, data_type=kind, dims=array.shape, data_location=TensorProto.EXTERNAL)
        for key, value in {"location": "model.onnx_data", "offset": start, "length": array.nbytes}.items():
            tensor.external_data.add(key=key, value=str(value))
        self.tensors.append(tensor)
        return name

    def plain(self, name, shape):
        """Scaled so that numbers stay about as large as they were; norms leave theirs alone."""
        if len(shape) == 1:
            return self.stored(name, np.full(shape, 1 if name.endswith("weight") else 0, np.float32))
        return self.stored(name, np.resize(self.normal, shape) / np.float32(math.sqrt(math.prod(shape[1:]))))

    def blocks(self, name, rows, columns):
        """What MatMulNBits takes: bytes around 128, whose deviation is 37, and a scale for each block."""
        packed = self.stored(name, np.resize(self.bytes, (rows, columns // BLOCK, BLOCK)))
        scales = self.stored(f"{name}.scales", np.full(rows * columns // BLOCK, 1 / (37 * math.sqrt(columns)), np.float32))
        return [packed, scales]


def filled(model, folder, bits):
    """The graph with weights in place of the inputs that stood for them."""
    graph, weights = model.graph, Weights(folder)
    shapes = {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim] for i in graph.input if i.name not in NAMES}
    turned = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Transpose" and node.input[0] in shapes}
    done, nodes = set(), []
    for node in graph.node:
        if node.output[0] in turned:
            continue
        source = turned.get(node.input[1]) if node.op_type == "MatMul" else None
        if source is not None and bits == 8:
            rows, columns = shapes[source]
            given = weights.blocks(source, rows, columns)
            nodes.append(helper.make_node("MatMulNBits", [node.input[0], *given], list(node.output), domain="com.microsoft", K=columns, N=rows, bits=8, block_size=BLOCK, accuracy_level=4))
            continue
        for name in node.input:
            origin = turned.get(name, name)
            if origin in shapes and name not in done:
                done.add(weights.plain(name, shapes[origin][::-1] if name in turned else shapes[origin]))
        nodes.append(node)
    weights.file.close()
    inputs = [i for i in graph.input if i.name in NAMES]
    made = helper.make_graph(nodes, "unet", inputs, list(graph.output), [*graph.initializer, *weights.tensors])
    whole = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])
    whole.ir_version = 10
    return whole


def main(folder, shape):
    folder.mkdir(parents=True, exist_ok=True)
    model = traced(shape["config"], folder / "traced.onnx")
    (folder / "traced.onnx").unlink()
    (folder / "model.onnx").write_bytes(filled(model, folder, shape["bits"]).SerializeToString())


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
