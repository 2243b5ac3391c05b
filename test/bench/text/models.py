"""One LLaMA of random weights at 4 bits, written twice: as ONNX in the layout of transformers.js, and as GGUF (Q4_0).

    python models.py FOLDER SHAPE        (packages: models.ts)

SHAPE is a JSON object with the fields of SHAPES below. The folder gets onnx/model.onnx with its data, tokenizer.json,
tokenizer_config.json, config.json and model.gguf. Both files hold the same numbers: blocks of 32 weights of 4 bits around 8 with one
scale, which ONNX Runtime's MatMulNBits keeps as 32 bits and GGUF's Q4_0 as 16. Tokens are the 256 bytes and made-up words.
"""

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import onnx
from onnx import TensorProto, helper

BLOCK = 32
# GGUF's attention reads pairs of neighbours, the other layout halves: convert_hf_to_gguf.py permutes the rows so.
permuted = lambda rows, heads: rows.reshape(heads, 2, -1, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


class Random:
    """Weights of a matrix [rows, columns] as numbers 0..15, packed in both orders; their scale keeps vectors as long as they were."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def matrix(self, rows, columns):
        return self.generator.integers(0, 256, (rows, columns // 2), dtype=np.uint8)


def scale_of(columns):
    """16 even steps from -8 to 7 have the deviation 4.61; exact in half precision, as GGUF has it."""
    return float(np.float16(1 / (4.61 * np.sqrt(columns))))


def to_gguf(packed, scale):
    """Q4_0: of each block a half-precision scale, then byte j = weight j and weight j + 16."""
    rows, half = packed.shape
    weights = np.stack([packed & 15, packed >> 4], axis=-1).reshape(rows, half * 2 // BLOCK, BLOCK)
    bytes_ = weights[:, :, :16] | (weights[:, :, 16:] << 4)
    scales = np.full((rows, half * 2 // BLOCK, 1), np.float16(scale)).view(np.uint8).reshape(rows, -1, 2)
    return np.concatenate([scales, bytes_], axis=-1).reshape(rows, -1)


class Graph:
    def __init__(self, folder):
        self.folder, self.nodes, self.initializers, self.values, self.count = folder, [], [], {}, 0
        (folder / "onnx").mkdir(parents=True, exist_ok=True)
        self.data = open(folder / "onnx/model.onnx_data", "wb")

    def op(self, kind, inputs, domain="", outputs=1, **attributes):
        self.count += 1
        names = [f"v{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def micro(self, kind, inputs, outputs=1, **attributes):
        return self.op(kind, inputs, "com.microsoft", outputs, **attributes)

    def small(self, value, dtype=np.int64):
        name = f"c{len(self.initializers)}"
        self.initializers.append(onnx.numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def stored(self, array):
        """Beside the graph, as large files have it."""
        name = f"w{len(self.initializers)}"
        start = self.data.tell()
        self.data.write(array.tobytes())
        kind = {np.dtype(np.uint8): TensorProto.UINT8, np.dtype(np.float32): TensorProto.FLOAT}[array.dtype]
        tensor = TensorProto(name=name, data_type=kind, dims=array.shape, data_location=TensorProto.EXTERNAL)
        for key, value in {"location": "model.onnx_data", "offset": start, "length": self.data.tell() - start}.items():
            tensor.external_data.add(key=key, value=str(value))
        self.initializers.append(tensor)
        return name

    def linear(self, x, packed):
        rows, half = packed.shape
        columns = 2 * half
        blocks = packed.reshape(rows, columns // BLOCK, BLOCK // 2)
        scales = np.full((rows, columns // BLOCK), scale_of(columns), np.float32)
        # accuracy_level 4: numbers are brought to 8 bits on the way, as Q4_0's products are; exporters of 4-bit models set it.
        return self.micro("MatMulNBits", [x, self.stored(blocks), self.stored(scales)], K=columns, N=rows, bits=4, block_size=BLOCK, accuracy_level=4)

    def embedding(self, ids, packed):
        rows, half = packed.shape
        scales = np.full((rows, 2 * half // BLOCK), scale_of(2 * half), np.float32)
        return self.micro("GatherBlockQuantized", [self.stored(packed), ids, self.stored(scales)], bits=4, block_size=BLOCK, gather_axis=0, quantize_axis=1)

    def save(self, inputs, outputs):
        self.data.close()
        for (name, _, _), value in zip(outputs, [self.values[name] for name, _, _ in outputs]):
            self.nodes.append(helper.make_node("Identity", [value], [name]))
        infos = lambda ports: [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in ports]
        graph = helper.make_graph(self.nodes, "llama", infos(inputs), infos(outputs), self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])
        model.ir_version = 10
        (self.folder / "onnx/model.onnx").write_bytes(model.SerializeToString())


def norm(g, x, shape):
    return g.op("SimplifiedLayerNormalization", [x, g.small(np.ones(shape["hidden"]), np.float32)], axis=-1, epsilon=1e-5)


def mask_of(g, past_length, total):
    """[batch, 1, 1, new, total]: 0 where a token may look, else the lowest number."""
    columns = g.op("Range", [g.small(0), total, g.small(1)])
    rows = g.op("Unsqueeze", [g.op("Range", [past_length, total, g.small(1)]), g.small([1])])
    causal = g.op("LessOrEqual", [columns, rows])
    told = g.op("Cast", [g.op("Unsqueeze", ["attention_mask", g.small([1])])], to=TensorProto.BOOL)
    seen = g.op("And", [causal, told])
    mask = g.op("Where", [seen, g.small(0, np.float32), g.small(-3.4e38, np.float32)])
    return g.op("Unsqueeze", [mask, g.small([1, 2])])


def attention(g, x, layer, weights, shape, turned):
    heads, kept, width = shape["heads"], shape["kvHeads"], shape["hidden"] // shape["heads"]
    split = lambda name, count: g.op("Transpose", [g.op("Reshape", [g.linear(x, weights[name]), g.small([0, 0, count, width])])], perm=[0, 2, 1, 3])
    rotate = lambda each: g.micro("RotaryEmbedding", [each, "position_ids", turned["cos"], turned["sin"]], interleaved=0)
    queries, keys, values = rotate(split("q", heads)), rotate(split("k", kept)), split("v", kept)
    keys = g.op("Concat", [f"past_key_values.{layer}.key", keys], axis=2)
    values = g.op("Concat", [f"past_key_values.{layer}.value", values], axis=2)
    g.values[f"present.{layer}.key"], g.values[f"present.{layer}.value"] = keys, values
    # Queries that share keys lie below each other, so that keys need no copies: [batch, kept, group * new, width].
    group = heads // kept
    grouped = g.op("Reshape", [queries, g.small([0, kept, -1, width])])
    scores = g.micro("FusedMatMul", [grouped, keys], transB=1, alpha=1 / width**0.5)
    apart = g.op("Reshape", [scores, g.op("Concat", [g.small([0, kept, group]), turned["new"], turned["total"]], axis=0)])
    shares = g.op("Softmax", [g.op("Add", [apart, turned["mask"]])], axis=-1)
    together = g.op("Reshape", [shares, g.op("Concat", [g.small([0, kept, -1]), turned["total"]], axis=0)])
    mixed = g.op("MatMul", [together, values])
    back = g.op("Reshape", [mixed, g.op("Concat", [g.small([0, heads]), turned["new"], g.small([width])], axis=0)])
    flat = g.op("Reshape", [g.op("Transpose", [back], perm=[0, 2, 1, 3]), g.small([0, 0, heads * width])])
    return g.linear(flat, weights["o"])


def tables(g, shape):
    width = shape["hidden"] // shape["heads"]
    angles = np.arange(shape["context"])[:, None] / shape["theta"] ** (np.arange(0, width, 2) / width)[None]
    return {"cos": g.stored(np.cos(angles).astype(np.float32)), "sin": g.stored(np.sin(angles).astype(np.float32))}


def build(folder, shape):
    random, g, width = Random(1), Graph(folder), shape["hidden"] // shape["heads"]
    writer = gguf_writer(folder, shape)
    add = lambda name, packed: writer.add_tensor(name, to_gguf(packed, scale_of(2 * packed.shape[1])), raw_dtype=gguf.GGMLQuantizationType.Q4_0)
    words = random.matrix(shape["vocabulary"], shape["hidden"])
    add("token_embd.weight", words)
    total = g.op("Gather", [g.op("Shape", ["attention_mask"]), g.small(1)])
    new = g.op("Gather", [g.op("Shape", ["input_ids"]), g.small(1)])
    listed = lambda value: g.op("Unsqueeze", [value, g.small([0])])
    turned = {**tables(g, shape), "mask": mask_of(g, g.op("Sub", [total, new]), total), "new": listed(new), "total": listed(total)}
    x = g.embedding("input_ids", words)
    for layer in range(shape["layers"]):
        sizes = {"q": (shape["hidden"], shape["hidden"]), "k": (shape["kvHeads"] * width, shape["hidden"]), "v": (shape["kvHeads"] * width, shape["hidden"]), "o": (shape["hidden"], shape["hidden"]),
                 "gate": (shape["inner"], shape["hidden"]), "up": (shape["inner"], shape["hidden"]), "down": (shape["hidden"], shape["inner"])}
        weights = {name: random.matrix(*size) for name, size in sizes.items()}
        x = g.op("Add", [x, attention(g, norm(g, x, shape), layer, weights, shape, turned)])
        inside = norm(g, x, shape)
        gate = g.linear(inside, weights["gate"])
        swish = g.op("Mul", [gate, g.op("Sigmoid", [gate])])
        x = g.op("Add", [x, g.linear(g.op("Mul", [swish, g.linear(inside, weights["up"])]), weights["down"])])
        names = {"q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output", "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down"}
        turn = {"q": shape["heads"], "k": shape["kvHeads"]}
        for name, packed in weights.items():
            add(f"blk.{layer}.{names[name]}.weight", permuted(packed, turn[name]) if name in turn else packed)
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(shape["hidden"], np.float32))
    last = g.op("Slice", [norm(g, x, shape), g.op("Unsqueeze", [g.op("Neg", ["num_logits_to_keep"]), g.small([0])]), g.small([2**62]), g.small([1])])
    g.values["logits"] = g.linear(last, words)
    writer.add_tensor("output_norm.weight", np.ones(shape["hidden"], np.float32))
    cache = lambda prefix, length: [(f"{prefix}.{layer}.{kind}", TensorProto.FLOAT, ["batch_size", shape["kvHeads"], length, width]) for layer in range(shape["layers"]) for kind in ("key", "value")]
    whole = [("input_ids", "sequence_length"), ("attention_mask", "total_sequence_length"), ("position_ids", "sequence_length")]
    inputs = [*((name, TensorProto.INT64, ["batch_size", length]) for name, length in whole), ("num_logits_to_keep", TensorProto.INT64, []), *cache("past_key_values", "past_sequence_length")]
    g.save(inputs, [("logits", TensorProto.FLOAT, ["batch_size", "kept", shape["vocabulary"]]), *cache("present", "total_sequence_length")])
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()


def letters():
    """GPT-2's letters for the 256 bytes."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def vocabulary(size):
    """Bytes, made-up words, and the two marks at the end."""
    return [*letters(), *(f"Ġw{i}" for i in range(size - 258)), "<|begin|>", "<|end|>"]


def gguf_writer(folder, shape):
    tokens = vocabulary(shape["vocabulary"])
    writer = gguf.GGUFWriter(str(folder / "model.gguf"), "llama")
    writer.add_context_length(shape["context"])
    writer.add_embedding_length(shape["hidden"])
    writer.add_block_count(shape["layers"])
    writer.add_feed_forward_length(shape["inner"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["kvHeads"])
    writer.add_rope_dimension_count(shape["hidden"] // shape["heads"])
    writer.add_rope_freq_base(shape["theta"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(shape["vocabulary"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * (len(tokens) - 2) + [gguf.TokenType.CONTROL] * 2)
    writer.add_token_merges(["Ġ w"])
    writer.add_bos_token_id(len(tokens) - 2)
    writer.add_eos_token_id(len(tokens) - 1)
    return writer


def words_files(folder, shape):
    tokens = vocabulary(shape["vocabulary"])
    marks = [{"id": i, "content": tokens[i], "special": True, "normalized": False, "single_word": False, "lstrip": False, "rstrip": False} for i in (len(tokens) - 2, len(tokens) - 1)]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    bpe = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": {token: i for i, token in enumerate(tokens[:-2])}, "merges": []}
    description = {"version": "1.0", "added_tokens": marks, "normalizer": None, "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level, "model": bpe}
    write = lambda name, value: (folder / name).write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")
    write("tokenizer.json", description)
    write("tokenizer_config.json", {"bos_token": "<|begin|>", "eos_token": "<|end|>", "model_max_length": shape["context"]})
    write("config.json", {"model_type": "llama", "max_position_embeddings": shape["context"], "eos_token_id": len(tokens) - 1})


if __name__ == "__main__":
    folder, shape = Path(sys.argv[1]), json.loads(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    build(folder, shape)
    words_files(folder, shape)
