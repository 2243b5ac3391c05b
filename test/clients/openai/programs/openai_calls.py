"""OpenAI's own Python package, unmodified, against the box."""
import base64
import io
import json
import math
import struct

import openai
from rows import BRIEF, KEY, MODEL, PICTURE, QUESTION, SEEING, SHAPE, URL, failure, main, shows

# Answers that are not as the package declares them are errors.
client = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0, _strict_response_validation=True)
# What OpenAI itself sends and the package does not declare: no `finish_reason` yet in a completion, embeddings in base64.
lenient = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0)
asked = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "max_tokens": 12}
longer = {**asked, "max_tokens": 200}
tool = {"type": "function", "function": {"name": "find", "parameters": SHAPE}}
calling = {**longer, "tools": [tool], "tool_choice": "required"}
responding = {"model": MODEL, "input": QUESTION, "temperature": 0, "max_output_tokens": 12}


def said(**more):
    return client.chat.completions.create(**{**asked, **more}).choices[0].message.content


@shows("models")
def models():
    assert MODEL in [each.id for each in client.models.list()]
    assert client.models.retrieve(MODEL).owned_by == "test"


@shows("chat", "chat-stream")
def chat():
    whole = client.chat.completions.create(**asked)
    assert whole.choices[0].finish_reason == "length" and whole.usage.completion_tokens == 12
    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    streamed = "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)
    assert streamed == whole.choices[0].message.content != ""
    assert chunks[-1].usage.completion_tokens == 12


@shows("chat-n", "chat-logprobs")
def several():
    answer = client.chat.completions.create(**{**asked, "temperature": 1, "seed": 5}, n=3, logprobs=True, top_logprobs=2)
    assert len({each.message.content for each in answer.choices}) > 1
    for each in answer.choices:
        assert len(each.logprobs.content) == 12 and all(len(token.top_logprobs) == 2 for token in each.logprobs.content)


@shows("chat-tools", "chat-tools-stream")
def tools():
    [call] = client.chat.completions.create(**calling, parallel_tool_calls=False).choices[0].message.tool_calls
    assert json.loads(call.function.arguments)["shape"] in ("circle", "star")
    with client.chat.completions.stream(**calling, parallel_tool_calls=False) as stream:
        [streamed] = stream.get_final_completion().choices[0].message.tool_calls
    assert (streamed.function.name, streamed.function.arguments) == ("find", call.function.arguments)
    messages = [*asked["messages"], {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]}]
    assert said(messages=[*messages, {"role": "tool", "tool_call_id": call.id, "content": "red"}]) != ""


@shows("chat-schema")
def schemas():
    schema = {"type": "json_schema", "json_schema": {"name": "shape", "schema": SHAPE, "strict": True}}
    assert json.loads(said(max_tokens=200, response_format=schema))["shape"] in ("circle", "star")


@shows("chat-json")
def json_mode():
    text = said(model=BRIEF, max_tokens=200, response_format={"type": "json_object"})
    assert isinstance(json.loads(text), dict)


@shows("chat-pictures")
def pictures():
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    answer = client.chat.completions.create(**{**asked, "model": SEEING, "messages": [{"role": "user", "content": content}]})
    assert answer.usage.prompt_tokens > 64


@shows("completions")
def completions():
    given = {"model": MODEL, "prompt": "The circle", "max_tokens": 6, "temperature": 0}
    whole = client.completions.create(**given).choices[0].text
    assert whole == "".join(each.choices[0].text for each in lenient.completions.create(**given, stream=True)) != ""


@shows("embeddings", "embeddings-base64")
def embeddings():
    plain = client.embeddings.create(model="test/embed", input=["red", "blue"], encoding_format="float")
    # Unless told otherwise, the package asks for base64 and unpacks it.
    packed = lenient.embeddings.create(model="test/embed", input=["red", "blue"])
    raw = lenient.embeddings.create(model="test/embed", input="red", encoding_format="base64").data[0].embedding
    numbers = struct.unpack(f"<{len(plain.data[0].embedding)}f", base64.b64decode(raw))
    for one, other in ((plain.data[0].embedding, packed.data[0].embedding), (plain.data[0].embedding, numbers)):
        assert all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(one, other, strict=True))


@shows("images", "images-edit", "images-stream")
def drawing():
    given = {"prompt": "a red circle", "response_format": "b64_json", "extra_body": {"seed": 7}}
    first = base64.b64decode(client.images.generate(model="test/text-to-image", **given).data[0].b64_json)
    assert first.startswith(b"\x89PNG")
    changed = client.images.edit(model="test/image-to-image", image=("a.png", io.BytesIO(first), "image/png"), **given)
    assert base64.b64decode(changed.data[0].b64_json) != first
    events = list(client.images.generate(model="test/text-to-image", prompt="x", stream=True, partial_images=1))
    assert [each.type for each in events] == ["image_generation.partial_image", "image_generation.completed"]


@shows("speech", "transcriptions", "transcriptions-stream", "translations")
def sound():
    spoken = client.audio.speech.create(model="test/speak", voice="default", input="the circle is red " * 3, response_format="wav")
    assert spoken.content[:4] == b"RIFF"
    file = lambda: ("a.wav", io.BytesIO(spoken.content), "audio/wav")
    hear = lambda **more: client.audio.transcriptions.create(model="test/transcribe", file=file(), language="en", **more)
    text = hear().text
    times = hear(response_format="verbose_json", timestamp_granularities=["word", "segment"])
    assert times.text == text and times.segments and times.words
    assert hear(response_format="text") == f"{text}\n"
    assert " --> " in hear(response_format="srt") and hear(response_format="vtt").startswith("WEBVTT")
    assert [each for each in hear(stream=True)][-1].text == text
    assert isinstance(client.audio.translations.create(model="test/transcribe", file=file()).text, str)


@shows("moderations")
def moderation():
    [result] = client.moderations.create(model="test/toxic", input="hello").results
    assert result.category_scores.harassment > 0


@shows("responses", "responses-stream", "responses-tools", "responses-previous")
def responses():
    whole = client.responses.create(**responding)
    assert whole.output_text == said()
    with client.responses.stream(**responding) as events:
        assert "".join(each.delta for each in events if each.type == "response.output_text.delta") == whole.output_text
    flat = {"type": "function", "name": "find", "parameters": SHAPE, "strict": True}
    given = {**responding, "max_output_tokens": 200, "tools": [flat], "tool_choice": "required"}
    call = next(each for each in client.responses.create(**given).output if each.type == "function_call")
    assert json.loads(call.arguments)["shape"] in ("circle", "star")
    with client.responses.stream(**given) as events:
        told = [each for each in events if each.type == "response.function_call_arguments.delta"]
        final = events.get_final_response()
    # What the package itself adds up, event by event, and what the last event says.
    assert told[-1].snapshot == "".join(each.delta for each in told) == call.arguments
    assert [each.arguments for each in final.output if each.type == "function_call"] == [call.arguments]
    after = client.responses.create(**{**responding, "input": "And its size?"}, previous_response_id=whole.id)
    assert after.usage.input_tokens > whole.usage.input_tokens


@shows("conversations")
def conversations():
    kept = client.conversations.create(metadata={"team": "one"}, items=[{"role": "user", "content": "Hello."}])
    assert client.conversations.retrieve(kept.id).metadata == {"team": "one"}
    counting = {"model": responding["model"], "input": "And its size?", "conversation": kept.id}
    counted = client.responses.input_tokens.count(**counting).input_tokens
    answer = client.responses.create(**{**responding, "input": "And its size?"}, conversation=kept.id)
    assert answer.usage.input_tokens == counted and answer.conversation.id == kept.id
    items = list(client.conversations.items.list(kept.id, order="asc"))
    assert [each.role for each in items] == ["user", "user", "assistant"] and items[-1].id == answer.output[0].id
    client.conversations.items.delete(items[0].id, conversation_id=kept.id)
    assert client.responses.input_tokens.count(**counting).input_tokens != counted
    assert client.conversations.delete(kept.id).deleted


@shows("error-input", "error-auth", "error-unknown")
def errors():
    kind = lambda error: (type(error), error.status_code, error.code, error.param)
    wrong = failure(lambda: client.chat.completions.create(**{**asked, "temperature": 9}))
    assert kind(wrong) == (openai.BadRequestError, 400, "invalid_value", "temperature")
    unknown = failure(lambda: client.chat.completions.create(**{**asked, "model": "gpt-4o"}))
    assert kind(unknown) == (openai.NotFoundError, 404, "model_not_found", "model")
    stranger = failure(lambda: client.with_options(api_key="nobody:nothing").models.list())
    assert kind(stranger) == (openai.AuthenticationError, 401, "invalid_api_key", None)


@shows("timeout")
def timeout():
    slow = {**asked, "max_tokens": 900}  # greedy: an answer by chance may be over at once
    hurried = failure(lambda: client.with_options(timeout=0.02).chat.completions.create(**slow))
    assert isinstance(hurried, openai.APITimeoutError)


main()
