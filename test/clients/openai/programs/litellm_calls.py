"""litellm, unmodified, with the box as a server of OpenAI's dialect."""
import json

import litellm
from rows import KEY, MODEL, PICTURE, QUESTION, SEEING, SHAPE, URL, failure, main, shows

BOX = {"api_base": URL, "api_key": KEY, "max_retries": 0}


def chat(**more):
    asked = {"model": f"openai/{MODEL}", "messages": [{"role": "user", "content": QUESTION}], "temperature": 0}
    return litellm.completion(**{**BOX, **asked, "max_tokens": 12, **more})


@shows("chat", "chat-stream")
def answers():
    whole = chat()
    chunks = list(chat(stream=True, stream_options={"include_usage": True}))
    assert "".join(each.choices[0].delta.content or "" for each in chunks if each.choices) == whole.choices[0].message.content != ""
    assert whole.usage.completion_tokens == 12


@shows("chat-tools", "chat-schema")
def shapes():
    tool = {"type": "function", "function": {"name": "find", "parameters": SHAPE}}
    [call] = chat(tools=[tool], tool_choice="required", max_tokens=200, parallel_tool_calls=False).choices[0].message.tool_calls
    assert json.loads(call.function.arguments)["shape"] in ("circle", "star")
    schema = {"type": "json_schema", "json_schema": {"name": "shape", "schema": SHAPE}}
    assert json.loads(chat(response_format=schema, max_tokens=200).choices[0].message.content)["shape"] in ("circle", "star")


@shows("chat-pictures")
def pictures():
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    assert chat(model=f"openai/{SEEING}", messages=[{"role": "user", "content": content}]).usage.prompt_tokens > 64


@shows("completions")
def completions():
    asked = {"model": f"text-completion-openai/{MODEL}", "prompt": "The circle", "max_tokens": 6}
    assert litellm.text_completion(**BOX, **asked).choices[0].text != ""


@shows("embeddings")
def embeddings():
    made = litellm.embedding(model="openai/test/embed", input=["red", "blue"], encoding_format="float", **BOX)
    assert len(made.data) == 2 and made.data[0]["embedding"] != made.data[1]["embedding"]


@shows("images")
def images():
    drawn = litellm.image_generation(model="openai/test/text-to-image", prompt="a red circle", **BOX)
    assert drawn.data[0].url.startswith("http")


@shows("speech")
def speech():
    spoken = litellm.speech(model="openai/test/speak", voice="default", input="the circle", response_format="wav", **BOX)
    assert spoken.content[:4] == b"RIFF"


@shows("moderations")
def moderation():
    [result] = litellm.moderation(model="test/toxic", input="hello", **BOX).results
    assert result.category_scores["harassment"] > 0


@shows("responses")
def responses():
    # It asks for 16 tokens at least.
    made = litellm.responses(model=f"openai/{MODEL}", input=QUESTION, temperature=0, max_output_tokens=16, **BOX)
    assert made.output[0].content[0].text == chat(max_tokens=16).choices[0].message.content


@shows("error-input", "error-auth", "error-unknown")
def errors():
    assert isinstance(failure(lambda: chat(temperature=9)), litellm.BadRequestError)
    long = [{"role": "user", "content": "circle " * 2000}]
    assert isinstance(failure(lambda: chat(messages=long)), litellm.ContextWindowExceededError)
    texts = ["circle " * 2000]
    embed = lambda: litellm.embedding(model="openai/test/embed", input=texts, **BOX)
    assert isinstance(failure(embed), litellm.ContextWindowExceededError)
    assert isinstance(failure(lambda: chat(api_key="nobody:nothing")), litellm.AuthenticationError)
    assert isinstance(failure(lambda: chat(model="openai/gpt-4o")), litellm.NotFoundError)


main()
