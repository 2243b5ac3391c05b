"""Tiny stand-ins for Chatterbox and Chatterbox Turbo with their graphs' inputs and outputs, and what the loops of their model
cards say with them.

Run in an environment with ../requirements.txt: `python chatterbox.py CHECKOUT`, CHECKOUT being a folder with a checkout of
github.com/resemble-ai/chatterbox, whose rules for texts are run. Writes chatterbox/, chatterbox-turbo/ and chatterbox-texts.json. The
language models are real LLaMAs of random weights; what listens, the table of tokens and what makes sound have random weights and
the contract of the exports (which marks are looked at, which places are told), not their layers. Numbers of large tables are
made by a formula in the graph, which keeps the files small.
"""

import ast
import json
import shutil
import sys
import wave
from pathlib import Path
from unicodedata import normalize

import numpy as np
import onnxruntime
import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn
from transformers import DynamicCache, LlamaConfig, LlamaModel

sys.path.append(str(Path(__file__).resolve().parent.parent / "language"))
from make import slim, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent
RATE = 24_000
START, STOP, EXAGGERATION, SILENCE = 6561, 6562, 6563, 4299
WIDTH, HEADS, LAYERS, VOCABULARY = 16, 2, 2, 6565
HEARD, SPEAKER, BANDS = 5, 12, 8
LETTERS = ["[STOP]", "[UNK]", "[SPACE]", *"abcdefghijklmnopqrstuvwxyzH'.,!?-", "[START]"]
LANGUAGES = ["[de]", "[en]", "[fr]"]
TEXTS = ["Hello there.", "why", "a small, small world - yes!"]
NORMS = ["hello  there", "Wait... what: now; yes - no", "It — she – “said” ‘so’ , ok", "end…", "Fine!", "1 two", "Ça va ?", "été", "안녕 하세요", "ÄRGER Öl"]


def waves(ids, rows, shift):
    """Numbers of a table that is nowhere: [..., WIDTH] for ids."""
    return torch.sin(ids.to(torch.float32)[..., None] * rows + shift)


class Listener(nn.Module):
    """[1, samples] to what a voice is like: vectors for the language model, tokens, a speaker, features."""

    def __init__(self):
        super().__init__()
        self.frames = nn.Conv1d(1, BANDS, 1200, stride=1200)
        self.frames.weight.data *= 8
        self.heard = nn.Linear(BANDS, HEARD * WIDTH)
        self.speaker = nn.Linear(BANDS, SPEAKER)

    def forward(self, audio_values):
        features = self.frames(audio_values[:, None]).transpose(1, 2)
        mean = features.mean(1)
        # Far apart, so that two runtimes agree on them.
        tokens = features.argmax(-1) * 811 + torch.arange(features.shape[1])[None]
        return self.heard(mean).reshape(1, HEARD, WIDTH), tokens, self.speaker(mean), features


class Table(nn.Module):
    """Chatterbox's: text up to its end, speech behind it, places of each, and one mark that the exaggeration is put into."""

    def __init__(self):
        super().__init__()
        self.text = nn.Embedding(64, WIDTH)
        self.text_place = nn.Embedding(128, WIDTH)
        self.exaggerated = nn.Linear(1, WIDTH)
        for name in ("speech", "place"):
            setattr(self, name, nn.Parameter(torch.randn(WIDTH) * 2))
            setattr(self, f"{name}_shift", nn.Parameter(torch.randn(WIDTH)))

    def forward(self, input_ids, position_ids, exaggeration):
        is_end = (input_ids == 0).to(torch.int64)
        behind = torch.cumsum(is_end, 1) - is_end > 0
        alone = torch.full_like(input_ids, input_ids.shape[1]) == 1
        is_speech = behind | alone | (input_ids >= START)
        text = self.text(torch.where(is_speech, 0, input_ids)) + self.text_place(torch.where(is_speech, 0, position_ids))
        speech = waves(input_ids, self.speech, self.speech_shift) + waves(position_ids, self.place, self.place_shift)
        both = torch.where(is_speech[..., None], speech, text)
        return torch.where((input_ids == EXAGGERATION)[..., None], self.exaggerated(exaggeration[:, None])[:, None], both)


class TurboTable(nn.Module):
    def __init__(self):
        super().__init__()
        self.text = nn.Embedding(64, WIDTH)
        self.speech = nn.Parameter(torch.randn(WIDTH) * 2)
        self.shift = nn.Parameter(torch.randn(WIDTH))

    def forward(self, input_ids):
        is_speech = (torch.full_like(input_ids, input_ids.shape[1]) == 1) | (input_ids >= START)
        return torch.where(is_speech[..., None], waves(input_ids, self.speech, self.shift), self.text(torch.where(is_speech, 0, input_ids)))


class Writer(nn.Module):
    """A LLaMA over vectors; the longer it is at it, the likelier it stops."""

    def __init__(self, takes_places, late):
        super().__init__()
        config = LlamaConfig(vocab_size=8, hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=HEADS, max_position_embeddings=2048, attn_implementation="eager")
        self.model = LlamaModel(config)
        for parameter in self.model.parameters():
            if parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.5)
        self.score = nn.Parameter(torch.randn(WIDTH) * 3)
        self.shift = nn.Parameter(torch.randn(WIDTH))
        self.takes_places, self.late = takes_places, late

    def forward(self, inputs_embeds, attention_mask, *given):
        given = list(given)
        places = given.pop(0) if self.takes_places else None
        cache = DynamicCache()
        for layer in range(LAYERS):
            cache.update(given[2 * layer], given[2 * layer + 1], layer)
        new, total, past = inputs_embeds.shape[1], attention_mask.shape[1], given[0].shape[2]
        if places is None:
            places = torch.arange(new)[None] + past
        column, row = torch.arange(total)[None, None, None], (torch.arange(new) + past)[None, None, :, None]
        seen = (column <= row) & (attention_mask[:, None, None, :] != 0)
        hidden = self.model(inputs_embeds=inputs_embeds, attention_mask=torch.where(seen, 0.0, torch.finfo(torch.float32).min), position_ids=places, past_key_values=cache, use_cache=True).last_hidden_state
        ids = torch.arange(attention_mask.sum() * 0 + VOCABULARY)
        logits = hidden @ waves(ids, self.score, self.shift).T
        ends = 0.6 * (attention_mask.sum().to(torch.float32) - self.late)
        return logits + torch.where(ids == STOP, ends, 0.0), *(t for layer in cache.layers for t in (layer.keys, layer.values))


class Sound(nn.Module):
    def __init__(self):
        super().__init__()
        self.rows, self.shift = nn.Parameter(torch.randn(WIDTH) * 2), nn.Parameter(torch.randn(WIDTH))
        self.speaker = nn.Linear(SPEAKER + BANDS, WIDTH)
        self.mix = nn.Conv1d(WIDTH, 6, 3, padding=1)

    def forward(self, speech_tokens, speaker_embeddings, speaker_features):
        like = self.speaker(torch.cat([speaker_embeddings, speaker_features.mean(1)], 1))
        said = waves(speech_tokens, self.rows, self.shift) + like[:, None]
        return torch.tanh(self.mix(said.transpose(1, 2))).transpose(1, 2).flatten(1)


def make_tokenizer(is_turbo):
    """Letters; the marks around a text as the repositories' own tokenizers put them."""
    usual = {"[STOP]": 0, "[START]": LETTERS.index("[START]"), "[START_SPEECH]": START, "[EXAGGERATION]": EXAGGERATION}
    marks = {"<|endoftext|>": len(LETTERS)} if is_turbo else usual
    letters = LETTERS if is_turbo else [*LETTERS, *LANGUAGES]
    order = ["A", "<|endoftext|>", "<|endoftext|>"] if is_turbo else ["[EXAGGERATION]", "[START]", "A", "[STOP]", "[START_SPEECH]", "[START_SPEECH]"]
    core = Tokenizer(models.WordLevel({entry: i for i, entry in enumerate(letters)} | marks, unk_token="[UNK]"))
    core.normalizer = normalizers.Replace(" ", "[SPACE]")
    core.pre_tokenizer = pre_tokenizers.Split(Regex(r"\[[A-Za-z]+\]|."), "isolated")
    core.add_special_tokens(list(marks))
    core.post_processor = processors.TemplateProcessing(single=" ".join("$A" if name == "A" else name for name in order), special_tokens=list(marks.items()))
    return core


def record(path, hertz, seconds):
    """A voice of two tones, 16 bits."""
    t = np.arange(int(RATE * seconds)) / RATE
    sound = 0.4 * np.sin(2 * np.pi * hertz * t) + 0.2 * np.sin(2 * np.pi * 1.7 * hertz * t) * np.sin(9 * t)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(RATE)
        file.writeframes(np.round(sound * 32767).astype("<i2").tobytes())


def samples_of(path):
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768


def export(module, given, path, inputs, outputs, axes):
    with torch.no_grad():
        torch.onnx.export(module.eval(), given, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False, do_constant_folding=False)
    slim(path)


def export_all(folder, is_turbo):
    (folder / "onnx").mkdir(parents=True)
    graph = lambda name: folder / "onnx" / f"{name}.onnx"
    speech = {"audio_values": {1: "samples"}, "audio_tokens": {1: "heard"}, "speaker_features": {1: "frames"}}
    export(Listener(), (torch.randn(1, 6000),), graph("speech_encoder"), ["audio_values"], ["audio_features", "audio_tokens", "speaker_embeddings", "speaker_features"], speech)
    ids, places = torch.tensor([[EXAGGERATION, 35, 4, 0, START, START]]), torch.tensor([[0, 0, 1, 2, 0, 0]])
    read = {0: "batch_size", 1: "sequence_length"}
    if is_turbo:
        export(TurboTable(), (ids,), graph("embed_tokens"), ["input_ids"], ["inputs_embeds"], {"input_ids": read, "inputs_embeds": read})
    else:
        export(Table(), (ids, places, torch.tensor([0.5])), graph("embed_tokens"), ["input_ids", "position_ids", "exaggeration"], ["inputs_embeds"], {"input_ids": read, "position_ids": read, "exaggeration": {0: "batch_size"}, "inputs_embeds": read})
    names, outputs, args = ["inputs_embeds", "attention_mask"], ["logits"], [torch.randn(2, 4, WIDTH), torch.ones(2, 7, dtype=torch.long)]
    axes = {"inputs_embeds": read, "attention_mask": {0: "batch_size", 1: "total_sequence_length"}, "logits": read}
    if is_turbo:
        names.append("position_ids"), args.append(torch.arange(3, 7)[None].repeat(2, 1))
        axes["position_ids"] = read
    for layer in range(LAYERS):
        for kind in ("key", "value"):
            names.append(f"past_key_values.{layer}.{kind}"), outputs.append(f"present.{layer}.{kind}"), args.append(torch.randn(2, HEADS, 3, WIDTH // HEADS))
            axes[names[-1]], axes[outputs[-1]] = {0: "batch_size", 2: "past_sequence_length"}, {0: "batch_size", 2: "total_sequence_length"}
    export(Writer(is_turbo, 70), tuple(args), graph("language_model"), names, outputs, axes)
    tokens = {"speech_tokens": {1: "tokens"}, "speaker_features": {1: "frames"}, "waveform": {1: "samples"}}
    export(Sound(), (torch.ones(1, 9, dtype=torch.long), torch.randn(1, SPEAKER), torch.randn(1, 5, BANDS)), graph("conditional_decoder"), ["speech_tokens", "speaker_embeddings", "speaker_features"], ["waveform"], tokens)


def penalised(ids, scores, penalty=1.2):
    score = np.take_along_axis(scores, ids, axis=1)
    changed = scores.copy()
    np.put_along_axis(changed, ids, np.where(score < 0, score * penalty, score / penalty), axis=1)
    return changed


def say(folder, ids, audio, exaggeration):
    """As the model cards do: onnxruntime, the likeliest token, a penalty of 1.2 on what was said."""
    open_graph = lambda name: onnxruntime.InferenceSession(str(folder / "onnx" / f"{name}.onnx"))
    listener, table, writer, sound = map(open_graph, ["speech_encoder", "embed_tokens", "language_model", "conditional_decoder"])
    wanted = {each.name for each in table.get_inputs()}
    only = lambda graph, feeds: {each.name: feeds[each.name] for each in graph.get_inputs()}
    input_ids = np.array([ids], dtype=np.int64)
    position_ids = np.where(input_ids >= START, 0, np.arange(input_ids.shape[1])[None] - 1)
    generated = np.array([[START]], dtype=np.int64)
    for step in range(1000):
        feeds = {"input_ids": input_ids, "position_ids": position_ids, "exaggeration": np.array([exaggeration], dtype=np.float32)}
        vectors = table.run(None, {name: value for name, value in feeds.items() if name in wanted})[0]
        if step == 0:
            heard, prompt, speaker, features = listener.run(None, {"audio_values": audio[None]})
            vectors = np.concatenate((heard, vectors), axis=1)
            mask = np.ones((1, vectors.shape[1]), dtype=np.int64)
            places = np.arange(vectors.shape[1], dtype=np.int64)[None]
            past = {each.name: np.zeros((1, HEADS, 0, WIDTH // HEADS), np.float32) for each in writer.get_inputs() if "past" in each.name}
        logits, *present = writer.run(None, only(writer, {"inputs_embeds": vectors, "attention_mask": mask, "position_ids": places, **past}))
        input_ids = np.argmax(penalised(generated, logits[:, -1]), axis=-1, keepdims=True).astype(np.int64)
        generated = np.concatenate((generated, input_ids), axis=-1)
        if input_ids[0, 0] == STOP:
            break
        position_ids = np.full((1, 1), step + 1, dtype=np.int64)
        mask = np.concatenate([mask, np.ones((1, 1), dtype=np.int64)], axis=1)
        places = places[:, -1:] + 1
        past = dict(zip(past, present))
    else:
        raise RuntimeError("it does not end")
    # The makers' own code leaves out what is no token of speech.
    said = [int(token) for token in generated[0, 1:-1] if token < START]
    tokens = np.concatenate([prompt, [said + [SILENCE] * 3]], axis=1).astype(np.int64)
    waveform = sound.run(None, {"speech_tokens": tokens, "speaker_embeddings": speaker, "speaker_features": features})[0][0]
    return {"tokens": [int(token) for token in tokens[0]], "said": len(said), "length": len(waveform), "samples": [round(float(value), 6) for value in waveform[::5]]}


def norms(checkout):
    """By the code of the makers alone: their modules import what none of this needs."""

    def function(path):
        tree = ast.parse((checkout / path).read_text(encoding="utf-8"))
        found = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "punc_norm")
        scope = {}
        exec(compile(ast.Module([found], []), path, "exec"), scope)
        return scope["punc_norm"]

    usual, turbo, many = (function(f"src/chatterbox/{name}.py") for name in ("tts", "tts_turbo", "mtl_tts"))
    # As MTLTokenizer.preprocess_text and encode, before spaces are replaced.
    told = lambda text: f"[de]{normalize('NFKD', many(text).lower())}"
    return [{"text": text, "usual": usual(text), "turbo": turbo(text), "many": told(text)} for text in NORMS]


def make(name, is_turbo, seed):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(seed)
    export_all(folder, is_turbo)
    core = make_tokenizer(is_turbo)
    core.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizer", "model_max_length": 2048, "unk_token": "[UNK]"})
    write_json(folder / "config.json", {"model_type": "chatterbox", "architectures": ["ChatterboxModel"], "text_config": {"model_type": "llama", "num_hidden_layers": LAYERS, "num_key_value_heads": HEADS, "head_dim": WIDTH // HEADS}})
    (folder / "voices").mkdir()
    if is_turbo:
        record(folder / "voices" / "lucy.wav", 190, 0.5)
        voices = {"lucy": "voices/lucy.wav"}
    else:
        record(folder / "default_voice.wav", 140, 0.5)
        record(folder / "voices" / "anna.wav", 320, 1.2)
        voices = {"default": "default_voice.wav", "anna": "voices/anna.wav"}
    cases = []
    for text in TEXTS:
        for voice, path in voices.items():
            for exaggeration in [0.5] if is_turbo else [0.5, 1.25]:
                # The text as the makers' rules have it, in the language that is spoken where none is named.
                read = text[0].upper() + text[1:] if is_turbo else text.replace(" - ", ", ").lower()
                read = read if read[-1] in ".!?" else read + "."
                read = read if is_turbo else f"[en]{read}"
                ids = core.encode(read).ids
                cases.append({"text": text, "voice": voice, "exaggeration": exaggeration, "ids": ids, **say(folder, ids, samples_of(folder / path), exaggeration)})
    (folder / "cases.json").write_text(json.dumps(cases) + "\n", encoding="utf-8")
    print(name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) // 1000, "kB", [(c["said"], len(set(c["tokens"]))) for c in cases])


def main():
    make("chatterbox", False, 5)
    make("chatterbox-turbo", True, 6)
    (HERE / "chatterbox-texts.json").write_text(json.dumps(norms(Path(sys.argv[1])), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
