"""sd/ with its UNet in 8 and in 4 bits and with fused operators, as onnxruntime's own tools write them. What diffusers draws with the very
same graph, run by onnxruntime, is the reference: it is the loop that is compared, and that such graphs run."""

import diffusers
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

import record
import stable_diffusion
import tiny
from record import NEGATIVE


def named(target):
    """sd/'s UNet with the names of nodes that onnxruntime's tools go by, in a file beside the target."""
    model = onnx.load(str(tiny.HERE / "sd/unet/model.onnx"))
    for i, node in enumerate(model.graph.node):
        node.name = f"node_{i}"
    source = target.with_name("source.onnx")
    onnx.save(model, str(source))
    return source


def eight_bits(source, target):
    """`reduce_range`: processors without instructions for 8 bits would saturate, and give other numbers."""
    quantize_dynamic(str(source), str(target), weight_type=QuantType.QInt8, reduce_range=True, op_types_to_quantize=["MatMul", "Gemm"])


def four_bits(source, target):
    quantizer = MatMulNBitsQuantizer(onnx.load(str(source)), block_size=16, is_symmetric=True)
    quantizer.process()
    onnx.save(quantizer.model.model, str(target))


def fused(source, target):
    """What onnxruntime keeps of a graph that it has optimised for a CPU."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def run_by_onnxruntime(unet, path):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def forward(sample, timestep, encoder_hidden_states=None, **_):
        port = next(port for port in session.get_inputs() if port.name == "timestep")
        time = torch.as_tensor(timestep).reshape([1] * len(port.shape)).to(torch.int64 if port.type == "tensor(int64)" else torch.float32)
        given = {"sample": sample, "timestep": time, "encoder_hidden_states": encoder_hidden_states}
        return (torch.from_numpy(session.run(None, {name: value.numpy() for name, value in given.items()})[0]),)

    unet.forward = forward


def main():
    for name, write in (("sd-8bit", eight_bits), ("sd-4bit", four_bits), ("sd-fused", fused)):
        folder = tiny.empty(name)
        tokenizer, models = tiny.clip_tokenizer(tiny.HERE / "sd/tokenizer", "<|endoftext|>"), stable_diffusion.parts()
        tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
        (folder / "unet").mkdir()
        source = named(folder / "unet/model.onnx")
        write(source, folder / "unet/model.onnx")
        source.unlink()
        kinds = {node.op_type for node in onnx.load(str(folder / "unet/model.onnx")).graph.node if node.domain or "Integer" in node.op_type}
        print(name, sorted(kinds), (folder / "unet/model.onnx").stat().st_size // 1000, "kB")
        run_by_onnxruntime(models["unet"], folder / "unet/model.onnx")
        scheduler = diffusers.EulerDiscreteScheduler.from_config(stable_diffusion.SD)
        record.scheduler_json(folder, scheduler)
        recorder = record.Recorder(folder, {})
        text = stable_diffusion.assemble(diffusers.StableDiffusionPipeline, models, tokenizer, scheduler)
        recorder.run("text", text, steps=4, seed=131, count=2, negative=NEGATIVE, negative_prompt=NEGATIVE, guidance=5.0)
        recorder.finish()


if __name__ == "__main__":
    main()
