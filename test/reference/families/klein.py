"""FLUX.2 klein: text to image and edits with reference images. Its graphs as exporters make them: the text encoder gives the
layers' states side by side, the autoencoder's patches and batch norm are part of its graphs, all of them lie in the root."""

import json
import shutil

import diffusers
import torch
from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

import record
import tiny

LAYERS = (1, 2, 3)
LENGTH = 512
TEMPLATE = """{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}"""


def tokenizer_in(folder):
    """The tiny Qwen3 tokenizer of ../language, with the template's answer to enable_thinking."""
    source = tiny.HERE.parent / "language/qwen3"
    folder.mkdir(parents=True)
    shutil.copy(source / "tokenizer.json", folder)
    config = json.loads((source / "tokenizer_config.json").read_text())
    tiny.write_json(folder / "tokenizer_config.json", {**config, "chat_template": TEMPLATE})
    return AutoTokenizer.from_pretrained(folder)


def text_encoder(tokenizer):
    return tiny.lively(Qwen3ForCausalLM(Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=tiny.WIDTH, intermediate_size=32, num_hidden_layers=4, num_attention_heads=2, num_key_value_heads=1, head_dim=8, initializer_range=0.25,
        max_position_embeddings=1024, attn_implementation="eager", pad_token_id=tokenizer.pad_token_id)))


def autoencoder():
    vae = tiny.lively(diffusers.AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3, block_out_channels=(8, 8, 8), layers_per_block=1, latent_channels=4, norm_num_groups=4,
        mid_block_add_attention=False))
    vae.decoder.conv_out.weight.data *= 1.5
    vae.bn.running_mean.normal_(0, 0.3)
    vae.bn.running_var.uniform_(0.5, 2)
    return vae


def export(folder, encoder, vae, transformer):
    def read(m, ids, mask):
        column = torch.arange(ids.shape[1])
        seen = (column[None, None, None] <= column[None, None, :, None]) & (mask[:, None, None, :] != 0)
        states = m.model(input_ids=ids, attention_mask={"full_attention": torch.where(seen, 0.0, torch.finfo(torch.float32).min)}, position_ids=column[None], output_hidden_states=True, use_cache=False).hidden_states
        return torch.cat([states[k] for k in LAYERS], -1)

    ids = torch.ones(1, LENGTH, dtype=torch.long)
    tiny.export(folder / "text_encoder.onnx", encoder, read, (ids, ids), {"input_ids": (None, "sequence_length"), "attention_mask": (None, "sequence_length")}, {"prompt_embeds": (None, "sequence_length", None)})

    def scales(m):
        return m.bn.running_mean.view(1, -1, 1, 1), torch.sqrt(m.bn.running_var.view(1, -1, 1, 1) + m.config.batch_norm_eps)

    def encode(m, image):
        moments = m.quant_conv(m.encoder(image))
        latents = diffusers.Flux2KleinPipeline._patchify_latents(moments[:, : m.config.latent_channels])
        mean, deviation = scales(m)
        return (latents - mean) / deviation

    def decode(m, latents):
        mean, deviation = scales(m)
        return m.decoder(m.post_quant_conv(diffusers.Flux2KleinPipeline._unpatchify_latents(latents * deviation + mean)))

    tiny.export(folder / "vae_encoder.onnx", vae, encode, (torch.randn(1, 3, 32, 48),), {"image": (None, None, "height", "width")}, {"latents": (None, None, "h", "w")})
    tiny.export(folder / "vae_decoder.onnx", vae, decode, (torch.randn(1, 16, 4, 6),), {"latents": (None, None, "h", "w")}, {"image": (None, None, "height", "width")})
    tiny.write_json(folder / "vae_decoder/config.json", tiny.config_of(vae))

    def draw(m, hidden, states, timestep, img_ids, txt_ids):
        return m(hidden_states=hidden, encoder_hidden_states=states, timestep=timestep, img_ids=img_ids, txt_ids=txt_ids, return_dict=False)[0]

    places = torch.cartesian_prod(torch.zeros(1), torch.arange(4.0), torch.arange(6.0), torch.zeros(1))[None]
    words = torch.cartesian_prod(torch.zeros(1), torch.zeros(1), torch.zeros(1), torch.arange(float(LENGTH)))[None]
    args = (torch.randn(1, 24, 16), torch.randn(1, LENGTH, 3 * tiny.WIDTH), torch.tensor([0.5]), places, words)
    tiny.export(folder / "transformer.onnx", transformer, draw, args,
                {"hidden_states": (None, "packed", None), "encoder_hidden_states": (None, None, None), "timestep": (None,), "img_ids": (None, "packed", None), "txt_ids": (None, None, None)},
                {"noise_pred": (None, "packed", None)})


def main():
    folder = tiny.empty("flux-2-klein")
    torch.manual_seed(24)
    tokenizer = tokenizer_in(folder / "tokenizer")
    transformer = tiny.lively(diffusers.Flux2Transformer2DModel(
        in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=8, num_attention_heads=2, joint_attention_dim=3 * tiny.WIDTH, timestep_guidance_channels=16,
        axes_dims_rope=(2, 2, 2, 2), guidance_embeds=False))
    encoder, vae = text_encoder(tokenizer), autoencoder()
    export(folder, encoder, vae, transformer)
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0)
    assemble = lambda distilled: diffusers.Flux2KleinPipeline(scheduler, vae, encoder, tokenizer, transformer, is_distilled=distilled)
    said = tokenizer.apply_chat_template([{"role": "user", "content": record.PROMPT}], tokenize=False, add_generation_prompt=True, enable_thinking=False)
    recorder = record.Recorder(folder, {"chat": tokenizer(said).input_ids})
    names = [f"reference-{i + 1}.png" for i in range(2)]
    for picture, name in zip(record.references(), names):
        picture.save(tiny.HERE / name)

    def unpacked(width, height):
        return lambda x: x.permute(0, 2, 1).reshape(x.shape[0], 16, height // 8, width // 8)

    more = {"text_encoder_out_layers": LAYERS, "guidance": 1.0}
    text, wide = unpacked(record.WIDTH, record.HEIGHT), {"width": record.WIDTH, "height": record.HEIGHT}
    recorder.run("text", assemble(True), steps=4, seed=71, unpack=text, count=2, **more)
    recorder.run("text-long", assemble(True), steps=2, seed=72, unpack=text, prompt="a big red circle " * 120, **more)
    recorder.run("edit-one", assemble(True), task="edit", steps=4, seed=73, unpack=unpacked(96, 72), given={"references": names[:1]}, **more)
    recorder.run("edit-two", assemble(True), task="edit", steps=3, seed=74, unpack=text, count=2, given={"references": names}, **wide, **more)
    recorder.finish()

    base = tiny.empty("flux-2-klein-base")
    tiny.write_json(base / "model_index.json", {"_class_name": "Flux2KleinPipeline", "is_distilled": False})
    recorder = record.Recorder(base, {})
    recorder.run("text-guided", assemble(False), steps=3, seed=75, unpack=text, **(more | {"guidance": 4.0}))
    recorder.run("edit-guided", assemble(False), task="edit", steps=3, seed=76, unpack=text, given={"references": names[1:]}, **wide, **(more | {"guidance": 4.0}))
    recorder.finish()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
