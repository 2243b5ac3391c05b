"""A voice in VITS' layout whose letters are tones: 20 ms each, pitched by the letter. Makes tones/.

python3 -m venv venv && venv/bin/pip install onnx==1.19.1 numpy && venv/bin/python tones.py
"""
import json
import pathlib

import numpy
from onnx import TensorProto, helper, numpy_helper, save

RATE, SAMPLES = 16_000, 320
FOLDER = pathlib.Path(__file__).parent / "tones"
LETTERS = " abcdefghijklmnopqrstuvwxyz'-"

constants = {
    "hertz": numpy.array(100.0, "float32"),
    "lowest": numpy.array(200.0, "float32"),
    "time": (2 * numpy.pi * numpy.arange(SAMPLES) / RATE).astype("float32").reshape(1, 1, SAMPLES),
    "loudness": numpy.array(0.3, "float32"),
    "last": numpy.array([2], "int64"),
    "flat": numpy.array([1, -1], "int64"),
}
nodes = [
    helper.make_node("Cast", ["input_ids"], ["ids"], to=TensorProto.FLOAT),
    helper.make_node("Mul", ["ids", "hertz"], ["steps"]),
    helper.make_node("Add", ["steps", "lowest"], ["pitch"]),
    helper.make_node("Unsqueeze", ["pitch", "last"], ["pitches"]),
    helper.make_node("Mul", ["pitches", "time"], ["phase"]),
    helper.make_node("Sin", ["phase"], ["tones"]),
    helper.make_node("Mul", ["tones", "loudness"], ["quiet"]),
    helper.make_node("Reshape", ["quiet", "flat"], ["waveform"]),
]
graph = helper.make_graph(
    nodes,
    "tones",
    [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "letters"])],
    [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, [1, "samples"])],
    [numpy_helper.from_array(value, name) for name, value in constants.items()],
)
(FOLDER / "onnx").mkdir(parents=True, exist_ok=True)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), FOLDER / "onnx/model.onnx")


def write(name, value):
    (FOLDER / name).write_text(json.dumps(value, indent=1) + "\n")


write("config.json", {"model_type": "vits", "sampling_rate": RATE, "num_speakers": 1})
write("tokenizer_config.json", {"tokenizer_class": "VitsTokenizer", "unk_token": "<unk>", "pad_token": "<unk>"})
write(
    "tokenizer.json",
    {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": ""}, "behavior": "Isolated", "invert": False},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {letter: at for at, letter in enumerate(["<unk>", *LETTERS])},
            "unk_token": "<unk>",
        },
    },
)
