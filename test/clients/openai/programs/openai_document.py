"""Judges answers by OpenAI's own OpenAPI document, which the package llm-comply carries: reads [[name, schema, answer], ...] and
prints [[name, complaint], ...], both as JSON."""
import json
import pathlib
import sys
import tempfile

import llm_comply
from llm_comply.schema import SpecLoader


def with_null(part):
    """A choice that is `nullable` has null among its values too, in JSON Schema."""
    if isinstance(part, dict):
        if part.get("nullable") and "enum" in part:
            part["enum"].append(None)
        for inner in part.values():
            with_null(inner)
    elif isinstance(part, list):
        for inner in part:
            with_null(inner)


carried = json.loads((pathlib.Path(llm_comply.__file__).parent / "specs" / "openai_chat.json").read_text())
with_null(carried)
with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    json.dump(carried, file)
    file.flush()
    document = SpecLoader(file.name)
complaints = [
    [name, complaint] for name, schema, answer in json.load(sys.stdin) for complaint in document.validate(answer, schema)
]
print(json.dumps(complaints))
