"""Tiny random-weight models that sort texts into classes, in the layout of transformers.js, and what Python's pipeline says of them.

Run in an environment with ../requirements.txt: `python make.py`. `toxic` is of toxic-bert's kind (each label by itself), `mood` has shares
that make one.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import BertConfig, BertForSequenceClassification, pipeline

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "embedding"))
import make as words  # noqa: E402

LABELS = {
    "toxic": ("multi_label_classification", ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]),
    "mood": (None, ["NEGATIVE", "NEUTRAL", "POSITIVE"]),
}


def classifier(folder, name):
    problem, labels = LABELS[name]
    tokenizer = words.save_words(folder, *words.wordpiece())
    named = dict(id2label=dict(enumerate(labels)), label2id={label: i for i, label in enumerate(labels)})
    size = {**words.SIZE, "hidden_size": 16, "intermediate_size": 24}
    config = BertConfig(**size, **named, problem_type=problem, vocab_size=len(tokenizer), max_position_embeddings=words.MAX, attn_implementation="eager")
    model = BertForSequenceClassification(config).eval()
    words.save_config(folder, config, "BertForSequenceClassification")
    words.export_encoder(model, folder / "onnx/model.onnx", True, "logits")
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")
    shown = lambda **how: [[{**each, "score": round(each["score"], 6)} for each in classify(text, top_k=None, **how)] for text in words.TEXTS]
    return {"texts": words.TEXTS, "ids": [tokenizer(text).input_ids for text in words.TEXTS], "default": shown(), "none": shown(function_to_apply="none"), "softmax": shown(function_to_apply="softmax"), "sigmoid": shown(function_to_apply="sigmoid")}


def pictures(folder):
    """By the mean of a picture's colours: more red than green, or less."""
    folder.mkdir(parents=True)
    weights = numpy_helper.from_array(np.array([[9, -9], [-9, 9], [0, 0]], dtype=np.float32), "weights")
    axes = numpy_helper.from_array(np.array([2, 3], dtype=np.int64), "axes")
    nodes = [helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0), helper.make_node("MatMul", ["mean", "weights"], ["logits"])]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("pixels", [1, 3, 8, 8]), ("logits", [1, 2]))]
    graph = helper.make_graph(nodes, "pictures", ports[:1], ports[1:], [weights, axes])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(folder / "model.onnx"))


if __name__ == "__main__":
    shutil.rmtree(HERE / "pictures", ignore_errors=True)
    pictures(HERE / "pictures")
    for name in LABELS:
        torch.manual_seed(sum(map(ord, name)))
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "cases.json").write_text(json.dumps(classifier(folder, name), ensure_ascii=False) + "\n", encoding="utf-8")
        print(name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) // 1000, "kB")
