"""Prompts in every form: longer than the text encoder reads at once, with weights, with layers left out, with a seed for
each picture. Only what differs from sd/ and sdxl/ is written: the tests read the rest there."""

import diffusers
import torch

import large
import record
import stable_diffusion
import tiny

LONG = "a big red circle on a blue background, two small green stars at the left of a yellow square, a photo of an astronaut"
WEIGHTED = "a (big:1.4) red circle [on] (blue)"
PARTS = [("a ", 1), ("big", 1.4), (" red circle ", 1), ("on", 1 / 1.1), (" ", 1), ("blue", 1.1)]
ROOM = 75


def states(tokenizer, encoder, tokens, layer):
    """[77, width] and the whole prompt's vector; `layer`: None = after the final norm, else counted from the end."""
    marked = [tokenizer.bos_token_id, *tokens, tokenizer.eos_token_id]
    padded = marked + [tokenizer.pad_token_id] * (77 - len(marked))
    out = encoder(torch.tensor([padded]), output_hidden_states=True)
    pooled = out.text_embeds[0] if hasattr(out, "text_embeds") else None
    return (out.last_hidden_state if layer is None else out.hidden_states[-layer])[0], pooled


@torch.no_grad()
def embed(tokenizer, encoder, parts, readings=1, layer=None):
    """ComfyUI's rule for weights, AUTOMATIC1111's for long prompts."""
    tokens = [(id, weight) for text, weight in parts for id in tokenizer(text, add_special_tokens=False).input_ids]
    nothing, _ = states(tokenizer, encoder, [], layer)
    all_states, summaries = [], []
    for at in range(max(readings, -(-len(tokens) // ROOM))):
        part = tokens[at * ROOM:(at + 1) * ROOM]
        given, pooled = states(tokenizer, encoder, [id for id, _ in part], layer)
        weights = torch.ones(77)
        weights[1:len(part) + 1] = torch.tensor([float(w) for _, w in part])
        all_states.append(nothing + weights[:, None] * (given - nothing))
        summaries.append(pooled)
    return torch.cat(all_states)[None], summaries[0]


def sd():
    folder = tiny.empty("sd-prompts")
    tokenizer, models = tiny.clip_tokenizer(folder / "tokenizer", "<|endoftext|>"), stable_diffusion.parts()
    torch.manual_seed(14)
    models["text_encoder"] = tiny.clip_text(projection=False)
    text_model = getattr(models["text_encoder"], "text_model", models["text_encoder"])
    for parameter in text_model.final_layer_norm.parameters():
        parameter.data += 0.5 * torch.randn_like(parameter)
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    tiny.export_clip(folder / "text_encoder", models["text_encoder"], hidden_states=True)
    # As most repositories have it; norms are an operator of their own from opset 17 on.
    for opset in (14, 17):
        tiny.export_clip(folder / f"text_encoder_{opset}", models["text_encoder"], hidden_states=False, opset=opset)
    scheduler = diffusers.PNDMScheduler.from_config(stable_diffusion.PNDM)
    pipeline = stable_diffusion.assemble(diffusers.StableDiffusionPipeline, models, tokenizer, scheduler)
    recorder = record.Recorder(folder, {})
    encode = lambda parts, readings=1: embed(tokenizer, models["text_encoder"], parts, readings)[0]
    run = lambda name, prompt, parts, negative, readings, **more: recorder.run(
        name, pipeline, steps=3, guidance=7.5, prompt=prompt, negative=negative, prompt_embeds=encode(parts, readings),
        negative_prompt_embeds=encode([(negative, 1)], readings), **more)
    run("long", LONG, [(LONG, 1)], record.NEGATIVE, 2, seed=61)
    run("long-negative", record.PROMPT, [(record.PROMPT, 1)], LONG, 2, seed=62)
    run("weighted", WEIGHTED, PARTS, record.NEGATIVE, 1, seed=63, given={"prompt_weighting": True})
    run("brackets-as-they-are", WEIGHTED, [(WEIGHTED, 1)], record.NEGATIVE, 1, seed=63)
    for skip in (1, 2):  # StableDiffusionPipeline.encode_prompt, whose own line fails with transformers 5
        states, _ = embed(tokenizer, models["text_encoder"], [(record.PROMPT, 1)], layer=skip + 1)
        recorder.run(f"clip-skip-{skip}", pipeline, steps=3, seed=64, guidance=7.5, negative=record.NEGATIVE, given={"clip_skip": skip},
                     prompt_embeds=text_model.final_layer_norm(states), negative_prompt_embeds=encode([(record.NEGATIVE, 1)]))
    recorder.run("seeds", pipeline, steps=3, seed=65, guidance=7.5, count=2, seeds=True)
    image = lambda kind, name, scheduler: recorder.run(
        name, stable_diffusion.assemble(kind, models, tokenizer, scheduler), task="image-to-image", steps=5, seed=66, guidance=7.5, strength=0.7, count=2, seeds=True)
    image(diffusers.StableDiffusionImg2ImgPipeline, "image-seeds", scheduler)
    ancestral, config = stable_diffusion.choice("euler-a")
    recorder.run("ancestral-seeds", stable_diffusion.assemble(diffusers.StableDiffusionPipeline, models, tokenizer, ancestral), steps=3, seed=67, guidance=7.5, count=2, seeds=True, scheduler=config)
    recorder.finish()


def sdxl():
    folder = tiny.empty("sdxl-prompts")
    models, tokenizers = large.sdxl_parts(), large.sdxl_tokenizers(folder)
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True})
    scheduler = diffusers.EulerDiscreteScheduler.from_config(large.EULER)
    pipeline = diffusers.StableDiffusionXLPipeline(**models, **tokenizers, scheduler=scheduler, add_watermarker=False)

    def encode(parts, readings, skip=0):
        first, _ = embed(tokenizers["tokenizer"], models["text_encoder"], parts, readings, 2 + skip)
        second, pooled = embed(tokenizers["tokenizer_2"], models["text_encoder_2"], parts, readings, 2 + skip)
        return torch.cat([first, second], -1), pooled[None]

    recorder = record.Recorder(folder, {})
    for name, prompt, parts, readings, skip in (("long", LONG, [(LONG, 1)], 2, 0), ("weighted", WEIGHTED, PARTS, 1, 1)):
        states, pooled = encode(parts, readings, skip)
        no_states, no_pooled = encode([(record.NEGATIVE, 1)], readings)
        recorder.run(name, pipeline, steps=3, seed=68, guidance=6.0, prompt=prompt, negative=record.NEGATIVE, given={"clip_skip": skip, "prompt_weighting": name == "weighted"},
                     prompt_embeds=states, pooled_prompt_embeds=pooled, negative_prompt_embeds=no_states, negative_pooled_prompt_embeds=no_pooled)
    recorder.finish()


if __name__ == "__main__":
    torch.set_num_threads(1)
    sd()
    sdxl()
