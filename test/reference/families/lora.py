"""LoRAs on a tiny Stable Diffusion and on FLUX.1, loaded by diffusers and PEFT (`pip install peft` besides ../requirements.txt): one as
diffusers saves it, one as kohya's trainer does. The graphs keep the names of their nodes, as exports do; only what differs from
sd/ is written."""

import sys

import diffusers
import torch
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import load_file, save_file

import large
import record
import stable_diffusion
import tiny
from record import NEGATIVE

TARGETS = {"transformer": ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "ff.net.2", "proj_mlp", "proj_out", "norm1.linear"], "unet": ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "ff.net.2", "conv1", "conv_shortcut", "time_emb_proj"], "text_encoder": ["q_proj", "k_proj", "v_proj", "out_proj", "fc1"]}


def random_lora(models, rank, alpha, parts):
    """State dicts as PEFT gives them, by part; the models are as they were afterwards."""
    states, settings = {}, {}
    for part in parts:
        config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=TARGETS[part], init_lora_weights=False)
        models[part].add_adapter(config)
        for name, parameter in models[part].named_parameters():
            if "lora_" in name:
                torch.nn.init.normal_(parameter, std=0.25)
        states[part], settings[part] = get_peft_model_state_dict(models[part]), config
        models[part].delete_adapters("default") if hasattr(models[part], "delete_adapters") else models[part].delete_adapter("default")
    return states, settings


def kohya(states, alpha):
    """The names of kohya's trainer: modules with _ between their parts, and alpha as a tensor."""
    prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te_"}
    written = {}
    for part, state in states.items():
        for name, value in state.items():
            module, which = name.removesuffix(".weight").rsplit(".", 1)
            module = ("text_model." if part == "text_encoder" else "") + module
            key = prefixes[part] + module.replace(".", "_")
            written[f"{key}.{'lora_down' if which == 'lora_A' else 'lora_up'}.weight"] = value.half().contiguous()
            written[f"{key}.alpha"] = torch.tensor(float(alpha))
    return written


@torch.no_grad()
def add(models, file, scale):
    """What PEFT does when it merges, for parts whose names diffusers does not find in transformers 5."""
    state = load_file(file)
    for name in [n for n in state if n.startswith("lora_te_") and n.endswith("lora_down.weight")]:
        key = name.removesuffix(".lora_down.weight")
        inside = key.removeprefix("lora_te_").removeprefix("text_model_")
        module = next(m for n, m in models["text_encoder"].named_modules() if n.replace(".", "_").endswith(inside))
        down, up = state[name].float(), state[f"{key}.lora_up.weight"].float()
        module.weight += scale * state[f"{key}.alpha"] / down.shape[0] * up @ down


def main():
    folder = tiny.empty("sd-lora")
    tokenizer, models = tiny.clip_tokenizer(folder / "tokenizer", "<|endoftext|>"), stable_diffusion.parts()
    torch.manual_seed(17)
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    tiny.export_clip(folder / "text_encoder", models["text_encoder"], hidden_states=False, node_names=True)
    tiny.export_unet(folder / "unet", models["unet"], node_names=True)
    pndm = diffusers.PNDMScheduler.from_config(stable_diffusion.PNDM)
    states, settings = random_lora(models, 2, 6, ["unet"])
    diffusers.StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=states["unet"], weight_name="diffusers.safetensors", unet_lora_adapter_metadata=settings["unet"].to_dict())
    states, _ = random_lora(models, 3, 2, ["unet", "text_encoder"])
    save_file(kohya(states, 2), folder / "kohya.safetensors")
    recorder = record.Recorder(folder, {})
    both = {"negative": NEGATIVE, "negative_prompt": NEGATIVE, "guidance": 7.5}
    for name, files in (("none", {}), ("one", {"diffusers": 1.0}), ("weaker", {"diffusers": 0.4}), ("kohya", {"kohya": 0.8}), ("two", {"diffusers": 0.5, "kohya": -0.3})):
        models = stable_diffusion.parts()
        pipeline = stable_diffusion.assemble(diffusers.StableDiffusionPipeline, models, tokenizer, pndm)
        for file, scale in files.items():
            path = folder / f"{file}.safetensors"
            if file == "kohya":
                add(models, path, scale)
                state = {k: v for k, v in load_file(path).items() if k.startswith("lora_unet_")}
                pipeline.load_lora_weights(state, adapter_name=file)
            else:
                pipeline.load_lora_weights(folder, weight_name=path.name, adapter_name=file)
        if files:
            pipeline.set_adapters(list(files), list(files.values()))
        recorder.run(name, pipeline, steps=3, seed=91, given={"loras": [{"path": f"{file}.safetensors", "scale": scale} for file, scale in files.items()]}, **both)
    recorder.finish()


def flux():
    """flux-dev's models again; of their graphs only the one that is changed is written."""
    folder = tiny.empty("flux-lora")
    models, tokenizers = large.flux_parts(folder, guided=True)
    torch.manual_seed(18)
    large.export_flux(folder / "transformer", models["transformer"], 512, node_names=True)
    states, settings = random_lora(models, 2, 4, ["transformer"])
    diffusers.FluxPipeline.save_lora_weights(folder, transformer_lora_layers=states["transformer"], weight_name="diffusers.safetensors", transformer_lora_adapter_metadata=settings["transformer"].to_dict())
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(**large.FLUX_SHIFT)
    recorder = record.Recorder(folder, {})
    pipeline = diffusers.FluxPipeline(**models, **tokenizers, scheduler=scheduler)
    unpack = lambda x: diffusers.FluxPipeline._unpack_latents(x, record.HEIGHT, record.WIDTH, pipeline.vae_scale_factor)
    more = {"guidance": 3.5, "unpack": unpack, "max_sequence_length": 512}
    recorder.run("none", pipeline, steps=3, seed=92, given={"loras": []}, **more)
    pipeline.load_lora_weights(folder, weight_name="diffusers.safetensors", adapter_name="one")
    for name, scale in (("one", 1.0), ("weaker", 0.4)):
        pipeline.set_adapters(["one"], [scale])
        recorder.run(name, pipeline, steps=3, seed=92, given={"loras": [{"path": "diffusers.safetensors", "scale": scale}]}, **more)
    recorder.finish()


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or ["sd", "flux"]:
        {"sd": main, "flux": flux}[name]()
