"""What the scripts of this folder share: a picture to look at, export of graphs, and files of cases."""

import io
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from PIL import Image

HERE = Path(__file__).resolve().parent


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def picture(width=150, height=110, seed=0):
    """Soft ground, a round thing with a soft edge, a sharp bar and a little noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    ground = np.stack([120 + 90 * np.sin(x / 17), 60 + 150 * y / height, 200 - 120 * x / width], axis=-1)
    away = np.hypot(x - width * 0.45, y - height * 0.5)
    share = np.clip((height * 0.33 - away) / 6 + 0.5, 0, 1)[..., None]
    thing = np.stack([230 - 0.3 * y, 40 + 0.8 * x, 30 + 60 * (np.sin(y / 5) > 0)], axis=-1)
    drawn = share * thing + (1 - share) * ground
    drawn[int(height * 0.2) : int(height * 0.25), int(width * 0.6) :] = (250, 250, 240)
    return Image.fromarray(np.clip(drawn + rng.normal(0, 3, drawn.shape), 0, 255).astype(np.uint8))


def save_picture(image, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, optimize=True)


def export(model, args, path, inputs, outputs, opset=17):
    """`inputs` and `outputs`: dimensions by name, None for fixed ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {i: dim for i, dim in enumerate(dims) if dim} for name, dims in (inputs | outputs).items()}
    with torch.no_grad():
        buffer = io.BytesIO()
        torch.onnx.export(model.eval(), args, buffer, input_names=list(inputs), output_names=list(outputs), dynamic_axes=axes, opset_version=opset, dynamo=False)
    graph = onnx.load_from_string(buffer.getvalue())
    shorten(graph)
    onnx.save(graph, str(path))


def shorten(model):
    """The exporter's names are longer than the weights of a tiny model."""
    kept = {x.name for x in [*model.graph.input, *model.graph.output]}
    short = {}

    def rename(name):
        return name if name == "" or name in kept else short.setdefault(name, f"t{len(short)}")

    def visit(graph):
        for node in graph.node:
            node.doc_string = ""
            node.name = ""
            node.input[:] = [rename(name) for name in node.input]
            node.output[:] = [rename(name) for name in node.output]
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    visit(attribute.g)
        for tensor in graph.initializer:
            tensor.name = rename(tensor.name)
        for value in [*graph.input, *graph.output]:
            value.doc_string = ""
            value.name = rename(value.name)
        del graph.value_info[:]

    visit(model.graph)
