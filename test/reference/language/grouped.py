"""A LLaMA with onnxruntime's GroupQueryAttention, as newer exports have it: the operator takes lengths, not a mask."""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper


def export_grouped(model, path):
    config = model.config
    heads, kept = config.num_attention_heads, config.num_key_value_heads
    width = config.hidden_size // heads
    nodes, weights = [], []

    def weight(name, value):
        array = value.detach().numpy() if torch.is_tensor(value) else np.asarray(value)
        weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(op, inputs, output, domain="", **attributes):
        outputs = output if isinstance(output, list) else [output]
        nodes.append(helper.make_node(op, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def linear(x, layer, name):
        return node("MatMul", [x, weight(f"{name}.w", layer.weight.T)], f"{name}.y")

    def norm(x, layer, name):
        square = node("Mul", [x, x], f"{name}.square")
        mean = node("ReduceMean", [square], f"{name}.mean", axes=[-1], keepdims=1)
        safe = node("Add", [mean, weight(f"{name}.eps", np.float32(config.rms_norm_eps))], f"{name}.safe")
        root = node("Sqrt", [safe], f"{name}.root")
        unit = node("Div", [x, root], f"{name}.unit")
        return node("Mul", [unit, weight(f"{name}.g", layer.weight)], f"{name}.y")

    places = torch.arange(config.max_position_embeddings)[None]
    cos, sin = model.model.rotary_emb(torch.zeros(1, 1, 1), places)
    rotary = [weight("cos", cos[0, :, : width // 2]), weight("sin", sin[0, :, : width // 2])]
    total = node("ReduceSum", ["attention_mask", weight("one", np.array([1], np.int64))], "count", keepdims=0)
    less = node("Sub", [total, weight("1", np.int64(1))], "last")
    lengths = node("Cast", [less], "lengths", to=TensorProto.INT32)
    shape = node("Shape", ["attention_mask"], "shape")
    columns = node("Gather", [shape, "one"], "columns", axis=0)
    longest = node("Cast", [columns], "longest", to=TensorProto.INT32)

    x = node("Gather", [weight("embed", model.model.embed_tokens.weight), "input_ids"], "embedded", axis=0)
    # Told, and of no use: the operator counts by itself.
    spent = node("Mul", [node("Cast", ["position_ids"], "places", to=TensorProto.FLOAT), weight("0", np.float32(0))], "spent")
    x = node("Add", [x, node("Unsqueeze", [spent, weight("axis", np.array([2], np.int64))], "spread")], "x")
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", s]) for n, s in (("input_ids", "sequence"), ("attention_mask", "total"), ("position_ids", "sequence"))]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "sequence", config.vocab_size])]
    for at, layer in enumerate(model.model.layers):
        name = f"l{at}"
        h = norm(x, layer.input_layernorm, f"{name}.n1")
        q, k, v = (linear(h, getattr(layer.self_attn, f"{p}_proj"), f"{name}.{p}") for p in "qkv")
        pair = [f"past_key_values.{at}.key", f"past_key_values.{at}.value"]
        given = [f"present.{at}.key", f"present.{at}.value"]
        a = node("GroupQueryAttention", [q, k, v, *pair, lengths, longest, *rotary], [f"{name}.a", *given], domain="com.microsoft", num_heads=heads, kv_num_heads=kept, do_rotary=1, scale=float(width**-0.5))
        x = node("Add", [x, linear(a, layer.self_attn.o_proj, f"{name}.o")], f"{name}.x1")
        h = norm(x, layer.post_attention_layernorm, f"{name}.n2")
        gate = linear(h, layer.mlp.gate_proj, f"{name}.gate")
        soft = node("Mul", [gate, node("Sigmoid", [gate], f"{name}.s")], f"{name}.silu")
        both = node("Mul", [soft, linear(h, layer.mlp.up_proj, f"{name}.up")], f"{name}.both")
        x = node("Add", [x, linear(both, layer.mlp.down_proj, f"{name}.down")], f"{name}.x2")
        for names, length, into in ((pair, "past", inputs), (given, "total", outputs)):
            into.extend(helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", kept, length, width]) for n in names)
    node("MatMul", [norm(x, model.model.norm, "n"), weight("head", model.lm_head.weight.T)], "logits")
    graph = helper.make_graph(nodes, "grouped", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
