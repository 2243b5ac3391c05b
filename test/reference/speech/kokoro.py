"""A small stand-in for Kokoro with its graph's inputs and output, and what misaki, its own reader of texts, makes of some texts.

Run in an environment with ../requirements.txt, `misaki`, `phonemizer-fork` and `espeakng-loader`: `python kokoro.py`. Writes
kokoro/. The graph has random weights and Kokoro's contract (ids, a row of the voice by the number of ids, speed), not its
layers, whose sizes are fixed and far too large for a fixture. phonemes.json has misaki's answers, and espeak-ng's own for
each piece between marks, which they are made from.
"""

import json
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from torch import nn

sys.path.append(str(Path(__file__).resolve().parent.parent / "language"))
from make import slim, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent / "kokoro"
SYMBOLS = "$;:,.!?—…\"()“” \u0303ʣʥʦʨᵝꭧAIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤχʎʒʔˈˌːʰʲ↓→↗↘ᵻ"
WIDTH, ROWS = 16, 510
VOICES = ["af_heart", "am_adam", "bf_emma", "ef_dora"]
TEXTS = {
    "en-us": ["Hello there, small world!", "The judge (a nice boy) chose five rings; why?", "“Water,” she said — better than milk.", "Buttons, cotton and a little bottle: enough."],
    "en-gb": ["Hello there, small world!", "Where is the bird? Go home.", "I hear the fire near here."],
    "es": ["Hola, ¿qué tal? La niña come pizza.", "El jueves llueve (mucho)."],
    "fr-fr": ["Bonjour, le monde est petit.", "« Un bon vin blanc », dit-elle."],
    "it": ["Ciao a tutti, la ragazza mangia una pizza."],
    "pt-br": ["Olá, o mundo é pequeno. Não sei."],
    "hi": ["नमस्ते, दुनिया छोटी है."],
}


def make_tokenizer():
    core = Tokenizer(models.WordLevel({symbol: i for i, symbol in enumerate(SYMBOLS)}, unk_token="$"))
    core.normalizer = normalizers.Replace(Regex(f"[^{re.escape(SYMBOLS)}]"), "")
    core.pre_tokenizer = pre_tokenizers.Split(Regex(""), "isolated")
    return core


class Stand(nn.Module):
    """Every id lasts as long as its row and the voice say; sound is what the two make of that."""

    def __init__(self):
        super().__init__()
        self.rows = nn.Embedding(len(SYMBOLS), WIDTH)
        self.length = nn.Linear(WIDTH, 1)
        self.voice = nn.Linear(WIDTH, WIDTH)
        self.sound = nn.Conv1d(WIDTH, 4, 3, padding=1)

    def forward(self, input_ids, style, speed):
        read = self.rows(input_ids) + self.voice(style)[:, None]
        lasts = torch.round(8 * torch.sigmoid(self.length(read))[0, :, 0] / speed).clamp(min=1)
        ends = torch.cumsum(lasts, 0)
        at = torch.arange(ends[-1].to(torch.int64))
        which = (at[:, None] >= ends[None]).to(torch.int64).sum(1)
        return torch.tanh(self.sound(read[:, which].transpose(1, 2))).transpose(1, 2).flatten(1)


def raw_pieces(backend, text):
    pieces = [each for each in re.split(r"[;:,.!?¡¿—…\"«»“”()]+", text) if each.strip()]
    return {each.strip(): backend.phonemize([each.strip()])[0].strip() for each in pieces}


def phonemes():
    from misaki import espeak

    cases = []
    for language, texts in TEXTS.items():
        is_english = language.startswith("en")
        reader = espeak.EspeakFallback(british=language == "en-gb") if is_english else espeak.EspeakG2P(language=language)
        for text in texts:
            said = reader(SimpleNamespace(text=text) if is_english else text)[0]
            cases.append({"language": language, "text": text, "phonemes": said, "espeak": raw_pieces(reader.backend, text)})
    return cases


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    (HERE / "voices").mkdir(parents=True)
    (HERE / "onnx").mkdir()
    core = make_tokenizer()
    core.save(str(HERE / "tokenizer.json"))
    described = json.loads((HERE / "tokenizer.json").read_text(encoding="utf-8"))
    mark = {"SpecialToken": {"id": "$", "type_id": 0}}
    described["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [mark, {"Sequence": {"id": "A", "type_id": 0}}, mark],
        "pair": [mark, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}, mark],
        "special_tokens": {"$": {"id": "$", "ids": [0], "tokens": ["$"]}},
    }
    write_json(HERE / "tokenizer.json", described)
    core = Tokenizer.from_file(str(HERE / "tokenizer.json"))
    write_json(HERE / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizer", "model_max_length": 512, "pad_token": "$", "unk_token": "$"})
    write_json(HERE / "config.json", {"model_type": "style_text_to_speech_2"})
    torch.manual_seed(3)
    model = Stand().eval()
    packs = {name: torch.randn(ROWS, WIDTH) for name in VOICES}
    for name, pack in packs.items():
        pack.numpy().tofile(HERE / "voices" / f"{name}.bin")
    cases = []
    said = phonemes()
    for text, voice, speed in [(said[0]["phonemes"], "af_heart", 1.0), (said[0]["phonemes"], "am_adam", 1.0), (said[0]["phonemes"], "af_heart", 2.0), (said[1]["phonemes"], "bf_emma", 0.7)]:
        ids = core.encode(text).ids
        with torch.no_grad():
            # The row of the voice is the number of sounds less one, as hexgrad's KPipeline.infer has it.
            sound = model(torch.tensor([ids]), packs[voice][len(ids) - 3][None], torch.tensor([speed]))[0]
        cases.append({"phonemes": text, "voice": voice, "speed": speed, "ids": ids, "length": len(sound), "samples": [round(float(v), 6) for v in sound[::7]]})
    given = (torch.tensor([cases[0]["ids"]]), packs["af_heart"][:1], torch.tensor([1.0]))
    with torch.no_grad():
        torch.onnx.export(model, given, str(HERE / "onnx" / "model.onnx"), input_names=["input_ids", "style", "speed"], output_names=["waveform"], dynamic_axes={"input_ids": {1: "read"}, "waveform": {1: "samples"}}, opset_version=17, dynamo=False)
    slim(HERE / "onnx" / "model.onnx")
    (HERE / "cases.json").write_text(json.dumps(cases, ensure_ascii=False) + "\n", encoding="utf-8")
    (HERE / "phonemes.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(sum(f.stat().st_size for f in HERE.rglob("*") if f.is_file()) // 1000, "kB")
    for each in said:
        print(each["language"], each["text"], "->", each["phonemes"])


if __name__ == "__main__":
    main()
