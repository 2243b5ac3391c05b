"""Writes the tiny graphs that the engine's tests run: repositories in the layouts of real ones, with closed forms for models.

    python test/engine/tiny/make.py        (needs onnx and numpy; a second)

Text encoder: row i of its table is sin(i + 0.1 * column).
UNet:         0.3 * sample + 0.0005 * timestep + 0.05 * mean(encoder_hidden_states of the row).
VAE decoder:  the first three channels, each latent as 8 x 8 equal pixels.
"""

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, load, numpy_helper, save

HERE = Path(__file__).parent
WIDTH = 8
TOKENS = 514  # 256 bytes, 256 bytes at a word's end, start, end


def constant(name, values, dtype):
    return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)


def write(path, nodes, inputs, outputs, constants):
    graph = helper.make_graph(nodes, path.parent.name, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(model, path)


def text_encoder(path, ids, real):
    table = np.sin(np.arange(TOKENS)[:, None] + 0.1 * np.arange(WIDTH)[None])
    write(
        path,
        [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])],
        [helper.make_tensor_value_info("input_ids", ids, ["batch", "tokens"])],
        [helper.make_tensor_value_info("last_hidden_state", real, ["batch", "tokens", WIDTH])],
        [constant("table", table, np.float16 if real == TensorProto.FLOAT16 else np.float32)],
    )


def unet(path, timestep, timestep_shape, real, out):
    number = np.float16 if real == TensorProto.FLOAT16 else np.float32
    write(
        path,
        [
            helper.make_node("Cast", ["timestep"], ["t"], to=real),
            helper.make_node("Mul", ["t", "per_timestep"], ["from_timestep"]),
            helper.make_node("Mul", ["sample", "per_sample"], ["from_sample"]),
            helper.make_node("ReduceMean", ["encoder_hidden_states"], ["mean"], axes=[1, 2], keepdims=0),
            helper.make_node("Reshape", ["mean", "as_rows"], ["row_mean"]),
            helper.make_node("Mul", ["row_mean", "per_mean"], ["from_text"]),
            helper.make_node("Add", ["from_sample", "from_timestep"], ["both"]),
            helper.make_node("Add", ["both", "from_text"], [out]),
        ],
        [
            helper.make_tensor_value_info("sample", real, ["batch", 4, "height", "width"]),
            helper.make_tensor_value_info("timestep", timestep, timestep_shape),
            helper.make_tensor_value_info("encoder_hidden_states", real, ["batch", "tokens", WIDTH]),
        ],
        [helper.make_tensor_value_info(out, real, ["batch", 4, "height", "width"])],
        [
            constant("per_sample", 0.3, number),
            constant("per_timestep", 0.0005, number),
            constant("per_mean", 0.05, number),
            constant("as_rows", [-1, 1, 1, 1], np.int64),
        ],
    )


def vae_decoder(path, real):
    write(
        path,
        [
            helper.make_node("Slice", ["latent_sample", "zero", "three", "channels"], ["colours"]),
            helper.make_node("Resize", ["colours", "", "scales"], ["sample"], mode="nearest", nearest_mode="floor",
                             coordinate_transformation_mode="asymmetric"),
        ],
        [helper.make_tensor_value_info("latent_sample", real, ["batch", 4, "height", "width"])],
        [helper.make_tensor_value_info("sample", real, ["batch", 3, "h", "w"])],
        [
            constant("zero", [0], np.int64), constant("three", [3], np.int64), constant("channels", [1], np.int64),
            constant("scales", [1, 1, 8, 8], np.float32),
        ],
    )


def byte_characters():
    codes = [*range(33, 127), *range(161, 173), *range(174, 256)]
    shown = codes + [256 + i for i in range(68)]
    return [chr(c) for c in shown]


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def tokenizer(folder):
    letters = byte_characters()
    entries = [*letters, *(c + "</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    write_json(folder / "vocab.json", {entry: i for i, entry in enumerate(entries)})
    (folder / "merges.txt").write_text("#version: 0.2\n")
    write_json(folder / "tokenizer_config.json", {"model_max_length": 77, "pad_token": "<|endoftext|>"})


def clip(path):
    """Picture: its mean colour. Text: the mean of its tokens' rows, sin(id + column). Logits: ten times the dot product."""
    table = np.sin(np.arange(TOKENS)[:, None] + np.arange(3)[None])
    node = helper.make_node
    write(
        path,
        [
            node("ReduceMean", ["pixel_values"], ["image_embeds"], axes=[2, 3], keepdims=0),
            node("Gather", ["table", "input_ids"], ["rows"]),
            node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            node("Unsqueeze", ["mask", "last"], ["wide_mask"]),
            node("Mul", ["rows", "wide_mask"], ["kept"]),
            node("ReduceSum", ["kept", "tokens"], ["sum"], keepdims=0),
            node("ReduceSum", ["wide_mask", "tokens"], ["count"], keepdims=0),
            node("Div", ["sum", "count"], ["text_embeds"]),
            node("Transpose", ["text_embeds"], ["turned"], perm=[1, 0]),
            node("MatMul", ["image_embeds", "turned"], ["dots"]),
            node("Mul", ["dots", "ten"], ["logits_per_image"]),
        ],
        [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["texts", "tokens"]),
            helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["pictures", 3, "height", "width"]),
            helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["texts", "tokens"]),
        ],
        [
            helper.make_tensor_value_info("logits_per_image", TensorProto.FLOAT, ["pictures", "texts"]),
            helper.make_tensor_value_info("text_embeds", TensorProto.FLOAT, ["texts", 3]),
            helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT, ["pictures", 3]),
        ],
        [
            constant("table", table, np.float32), constant("last", [-1], np.int64), constant("tokens", [1], np.int64),
            constant("ten", 10, np.float32),
        ],
    )


def external(path):
    """One addition whose constant lies in model.onnx_data."""
    write(
        path,
        [helper.make_node("Add", ["x", "y"], ["z"])],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [512])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [512])],
        [constant("y", np.arange(512), np.float32)],
    )
    (path.parent / "model.onnx_data").unlink(missing_ok=True)  # onnx appends
    save(load(path), path, save_as_external_data=True, location="model.onnx_data", size_threshold=0)


SCHEDULER = {
    "_class_name": "DDIMScheduler", "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1,
}

if __name__ == "__main__":
    single, half = TensorProto.FLOAT, TensorProto.FLOAT16

    optimum = HERE / "optimum"
    tokenizer(optimum / "tokenizer")
    write_json(optimum / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    write_json(optimum / "scheduler/scheduler_config.json", SCHEDULER)
    write_json(optimum / "unet/config.json", {"sample_size": 8, "block_out_channels": [8, 16]})
    write_json(optimum / "vae_decoder/config.json", {"scaling_factor": 0.5, "block_out_channels": [8, 8, 8, 8]})
    text_encoder(optimum / "text_encoder/model.onnx", TensorProto.INT64, single)
    unet(optimum / "unet/model.onnx", TensorProto.INT64, [], single, "out_sample")
    vae_decoder(optimum / "vae_decoder/model.onnx", single)

    # float16 throughout, int32 ids, one float timestep in a list, other output name, no config.json beside the graphs
    legacy = HERE / "legacy"
    tokenizer(legacy / "tokenizer")
    write_json(legacy / "model_index.json", {"_class_name": "OnnxStableDiffusionPipeline"})
    write_json(legacy / "scheduler/scheduler_config.json", SCHEDULER)
    text_encoder(legacy / "text_encoder/model.onnx", TensorProto.INT32, half)
    unet(legacy / "unet/model.onnx", half, ["steps"], half, "sample_out")
    vae_decoder(legacy / "vae_decoder/model.onnx", half)

    tokenizer(HERE / "clip")
    clip(HERE / "clip/onnx/model.onnx")
    write_json(HERE / "clip/preprocessor_config.json", {
        "size": {"shortest_edge": 8}, "crop_size": {"height": 8, "width": 8}, "resample": 3, "rescale_factor": 1 / 255,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.5, 1.0],
    })

    external(HERE / "external/model.onnx")
