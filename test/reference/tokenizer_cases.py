r"""Token ids of hard strings, by Python's CLIPTokenizer: writes test/reference/tokenizer/{demo,clip-bpe}.json.

    python3 test/reference/tokenizer_cases.py [--clip-bpe bpe_simple_vocab_16e6.txt.gz]     (or $CLIP_BPE)
    python3 test/reference/tokenizer_cases.py --slow                                        (with transformers 4)

The ids are those of the tokenizer of transformers 5 (the "fast" one, the only one that version has). --slow runs
the old pure-Python one of transformers 4 over the same strings and notes under "slow" the ids where it differs.

The real CLIP vocabulary is not part of this repository. It is built from OpenAI's file as OpenAI's simple_tokenizer.py
does: 256 byte characters, the same with "</w>", one entry per merge (lines 2 to 48,895 of the file), then
<|startoftext|> and <|endoftext|>: 49,408 entries.
"""

import argparse
import gzip
import json
import os
import tempfile
from pathlib import Path

import transformers

HERE = Path(__file__).resolve().parent
DEMO = HERE.parents[1] / "models" / "demo" / "diffusion" / "tokenizer"

STRINGS = [
    "", " ", "   ", "\n", "\t\n ", "a", "A", "red circle", "a big red circle in the middle of a blue background", "Red  CIRCLE\tand\na Star", " leading and trailing ",
    "on yellow, a small green star at the left", "crimson donut...", "it's a dog's life, isn't it? they'll we've I'm you'd he're", "IT'S DOG'S THEY'LL", "don’t use ‘curly’ “quotes”",
    "''''", "'s", "'S", "s's's", "'tis 'twas", "1234567890", "3.14159e-10", "v2.0-rc1", "4k 8K uhd", "2×2=4", "½ ⅓ ² ³ Ⅷ ①", "١٢٣ ४५६", "!!!???...", "--- ___ ***", "a,b;c:d", "(((best quality))), [masterpiece:1.2], {x|y}",
    "<lora:foo:0.8>", "<|startoftext|>", "<|endoftext|>", "a <|endoftext|> b", "<|startoftext|>red<|endoftext|>", "<|STARTOFTEXT|>", "<|other|>", "</w>", "a</w>b", "red</w>", "#version: 0.2",
    "café naïve über Ångström", "cafe\u0301", "e\u0301\u0323", "ÀÉÎÕÜ ÇŒÆ ßẞ", "İstanbul ıI", "Straße STRASSE", "ﬁ ﬂ ﬃ", "Ωμέγα ΣΊΣΥΦΟΣ", "Привет МИР", "שלום עולם", "مرحبا بالعالم", "नमस्ते दुनिया", "ภาษาไทย", "한국어 조합", "\u1112\u1161\u11ab",
    "日本語の文字", "红色的圆形在蓝色背景上", "漢字かな交じり文、句読点。", "𠀀𠮷", "😀", "😀😃 red 🎨 circle 🔴", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪🇫🇷", "☃️ ✓ ★ ♥", "Ｆｕｌｌｗｉｄｔｈ １２３", "a\u00a0b\u2003c\u3000d", "a\u200bb\u200dc\ufeffd", "soft\u00adhyphen", "\u0000", "a\u0000b", "\u0001\u001f\u007f\u0085", "a\u001cb\u001db",
    "bell\u0007 and back\u0008space", "tab\tand\rreturn\r\nline\u2028sep\u2029par", "\ufffd replacement", "zalgo t̸̡̛e̵͔̎x̶̱͊t̷̙̔", "&amp; &lt;b&gt; &quot;", "<b>bold</b>", "http://example.com/a?b=c&d=%20e", "C:\\path\\to\\file", "snake_case camelCase kebab-case", "a_b", "_", "x²+y²", "$100 €200 ¥300", "100% sure!", "e.g. i.e. U.S.A.",
    "supercalifragilisticexpialidocious", "pneumonoultramicroscopicsilicovolcanoconiosis", "a" * 100, "ab" * 60, "日" * 40, "🔥" * 30,
    "red " * 80, " ".join(["a big red circle on the left of a blue background"] * 12), "!" * 200, "one two three " * 30, "word" * 50 + " end", "7" * 90,
]


def vocabulary_of(bpe, folder):
    """vocab.json and merges.txt from OpenAI's bpe file."""
    codes = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, extra = [chr(c) for c in codes], 0
    for b in range(256):
        if b not in codes:
            letters.append(chr(256 + extra))
            extra += 1
    merges = gzip.open(bpe).read().decode("utf-8").split("\n")[1 : 49152 - 256 - 2 + 1]
    entries = letters + [c + "</w>" for c in letters] + ["".join(m.split()) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    assert len(entries) == 49408
    (folder / "vocab.json").write_text(json.dumps({e: i for i, e in enumerate(entries)}, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")


def open_tokenizer(folder, slow):
    kind = transformers.CLIPTokenizer
    if slow:
        return kind(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77)
    merges = [tuple(line.split(" ")) for line in (folder / "merges.txt").read_text(encoding="utf-8").split("\n")[1:] if line]
    return kind(vocab=json.loads((folder / "vocab.json").read_text(encoding="utf-8")), merges=merges, model_max_length=77)


def write(path, tokenizer, name, slow):
    if slow:
        document = json.loads(path.read_text(encoding="utf-8"))
        document["about"]["slow"] = f"transformers {transformers.__version__} CLIPTokenizer (slow), without ftfy"
        for case in document["cases"]:
            ids = tokenizer(case["text"]).input_ids
            case.pop("slow", None)
            if ids != case["ids"]:
                case["slow"] = ids
        print(path.name, "slow differs for", [c["text"][:20] for c in document["cases"] if "slow" in c])
    else:
        about = {
            "vocabulary": name, "entries": len(tokenizer), "made_with": f"transformers {transformers.__version__} CLIPTokenizer (fast)",
            "fields": "ids: tokenizer(text); padded: tokenizer(text, padding=max_length, truncation=True, max_length=77), only where it is not ids followed by the pad id",
            "pad_id": tokenizer.pad_token_id,
        }
        cases = []
        for text in STRINGS:
            ids = tokenizer(text).input_ids
            padded = tokenizer(text, padding="max_length", truncation=True, max_length=77).input_ids
            case = {"text": text, "ids": ids}
            if padded != ids + [tokenizer.pad_token_id] * (77 - len(ids)):
                case["padded"] = padded
            cases.append(case)
        document = {"about": about, "cases": cases}
    path.parent.mkdir(parents=True, exist_ok=True)
    head = json.dumps(document["about"], indent=1)
    path.write_text('{"about": ' + head + ',\n"cases": [\n' + ",\n".join(json.dumps(c) for c in document["cases"]) + "\n]}\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip-bpe", default=os.environ.get("CLIP_BPE"))
    parser.add_argument("--slow", action="store_true")
    args = parser.parse_args()
    write(HERE / "tokenizer/demo.json", open_tokenizer(DEMO, args.slow), "models/demo/diffusion/tokenizer", args.slow)
    if args.clip_bpe:
        with tempfile.TemporaryDirectory() as folder:
            vocabulary_of(args.clip_bpe, Path(folder))
            write(HERE / "tokenizer/clip-bpe.json", open_tokenizer(Path(folder), args.slow), "CLIP (bpe_simple_vocab_16e6)", args.slow)


if __name__ == "__main__":
    main()
