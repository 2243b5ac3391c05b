"""How sure the tiny Whisper of whisper.py is of what it hears, as openai/whisper's decoding.py and transcribe.py define it.

Run in an environment with ../requirements.txt: `python whisper_figures.py SOUND` (see whisper.py). Writes
whisper/figures.json: for the first pass over stretches of the sound the tokens, the mean log probability of them and the end
mark after the rules for marks of time, the probability of "no speech" at the start token, and how well the text compresses.
"""

import json
import sys
import wave
import zlib
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer
from transformers import GenerationConfig, WhisperFeatureExtractor
from transformers.generation.logits_process import SuppressTokensAtBeginLogitsProcessor, SuppressTokensLogitsProcessor, WhisperTimeStampLogitsProcessor

HERE = Path(__file__).resolve().parent / "whisper"


def main():
    with wave.open(sys.argv[1]) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16).astype(np.float32) / 2**15
    encoder, decoder = (onnxruntime.InferenceSession(str(HERE / "onnx" / f"{name}.onnx")) for name in ("encoder_model", "decoder_model_merged"))
    extractor, core = WhisperFeatureExtractor.from_pretrained(HERE), Tokenizer.from_file(str(HERE / "tokenizer.json"))
    config = GenerationConfig(**json.loads((HERE / "generation_config.json").read_text()))
    longest = json.loads((HERE / "config.json").read_text())["max_target_positions"]
    empty = {each.name: np.zeros((1, each.shape[1], 0, each.shape[3]), np.float32) for each in decoder.get_inputs() if each.name.startswith("past")}
    first_mark, end = config.no_timestamps_token_id + 1, config.eos_token_id
    cases = []
    for start, until, language, prompt in [(0, 30, "en", ""), (20, 31, "de", ""), (5, 15, "fr", "ask what")]:
        piece = sound[start * 16000 : until * 16000]
        heard = encoder.run(None, {"input_features": extractor(piece, sampling_rate=16000, return_tensors="np").input_features})[0]
        logits_of = lambda ids: torch.tensor(decoder.run(["logits"], {"input_ids": np.array([ids]), "encoder_hidden_states": heard, **empty})[0][0])
        before = [core.token_to_id("<|startofprev|>"), *core.encode(f" {prompt}", add_special_tokens=False).ids] if prompt else []
        begin = [*before, config.decoder_start_token_id, core.token_to_id(f"<|{language}|>"), core.token_to_id("<|transcribe|>")]
        at = len(begin)
        rules = [
            SuppressTokensAtBeginLogitsProcessor(config.begin_suppress_tokens, begin_index=at),
            SuppressTokensLogitsProcessor(config.suppress_tokens),
            WhisperTimeStampLogitsProcessor(config, begin_index=at),
        ]
        silent = torch.softmax(logits_of(begin)[len(before)], -1)[core.token_to_id("<|nospeech|>")].item()
        ids, total = list(begin), 0.0
        while len(ids) < longest:
            scores = logits_of(ids)[-1:]
            for rule in rules:
                scores = rule(torch.tensor([ids]), scores)
            chances = torch.log_softmax(scores[0], -1)
            token = int(chances.argmax())
            total += chances[token].item()
            if token == end:
                break
            ids.append(token)
        tokens = ids[at:]
        text = core.decode([token for token in tokens if token < first_mark], skip_special_tokens=True).strip().encode()
        cases.append({"start": start, "end": until, "language": language, "prompt": prompt, "tokens": tokens, "avg_logprob": total / (len(tokens) + 1), "no_speech_prob": silent, "compression_ratio": len(text) / len(zlib.compress(text))})
    (HERE / "figures.json").write_text(json.dumps(cases) + "\n", encoding="utf-8")
    print([{k: v for k, v in case.items() if k != "tokens"} for case in cases], [len(case["tokens"]) for case in cases])


if __name__ == "__main__":
    main()
