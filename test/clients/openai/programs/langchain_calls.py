"""LangChain for Python (langchain-openai), unmodified, against the box."""
import openai
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from rows import BRIEF, KEY, MODEL, PICTURE, QUESTION, SEEING, SHAPE, URL, failure, main, shows

BOX = {"base_url": URL, "api_key": KEY, "max_retries": 0}
schema = {"title": "found", "description": "What was found", **SHAPE}


def model(**more):
    return ChatOpenAI(**{**BOX, "model": MODEL, "temperature": 0, "max_tokens": 12, "stream_usage": True, **more})


@shows("chat", "chat-stream", "responses", "responses-stream")
def chat():
    for use_responses_api in (False, True):
        asked = model(use_responses_api=use_responses_api)
        whole = asked.invoke(QUESTION)
        chunks = list(asked.stream(QUESTION))
        assert whole.text == "".join(each.text for each in chunks) != ""
        assert sum(each.usage_metadata["output_tokens"] for each in chunks if each.usage_metadata) == 12


@shows("responses-previous")
def goes_on():
    first = model(use_responses_api=True).invoke(QUESTION)
    after = model(use_responses_api=True).invoke("And its size?", previous_response_id=first.response_metadata["id"])
    assert after.usage_metadata["input_tokens"] > first.usage_metadata["input_tokens"]


@shows("chat-n", "chat-logprobs")
def several():
    [answers] = model(n=2, temperature=1).generate([[HumanMessage(QUESTION)]]).generations
    assert len(answers) == 2
    scored = model(logprobs=True, top_logprobs=2).invoke(QUESTION)
    assert len(scored.response_metadata["logprobs"]["content"]) == 12


@shows("chat-tools", "chat-tools-stream", "responses-tools")
def tools():
    function = {"name": "find", "description": "Finds", "parameters": SHAPE}
    for use_responses_api in (False, True):
        asked = model(max_tokens=200, use_responses_api=use_responses_api).bind_tools([function], tool_choice="required")
        [call] = asked.invoke(QUESTION).tool_calls
        assert call["name"] == "find" and call["args"]["shape"] in ("circle", "star")
        whole = None
        for chunk in asked.stream(QUESTION):
            whole = chunk if whole is None else whole + chunk
        assert whole.tool_calls[0]["args"] == call["args"]


@shows("chat-schema", "chat-json")
def structured():
    for method in ("json_schema", "function_calling"):
        answer = model(max_tokens=200).with_structured_output(schema, method=method).invoke(QUESTION)
        assert answer["shape"] in ("circle", "star")
    answer = model(model=BRIEF, max_tokens=200).with_structured_output(schema, method="json_mode").invoke(QUESTION)
    assert isinstance(answer, dict)


@shows("chat-pictures")
def pictures():
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    assert model(model=SEEING).invoke([HumanMessage(content)]).usage_metadata["input_tokens"] > 64


@shows("completions")
def completions():
    assert OpenAI(**BOX, model=MODEL, temperature=0, max_tokens=6).invoke("The circle") != ""


@shows("embeddings")
def embeddings():
    embed = OpenAIEmbeddings(**BOX, model="test/embed", check_embedding_ctx_length=False)
    first, second = embed.embed_documents(["red", "blue"])
    assert first != second and embed.embed_query("red") == first


@shows("error-input", "error-auth", "error-unknown", "timeout")
def errors():
    assert isinstance(failure(lambda: model(temperature=9).invoke(QUESTION)), openai.BadRequestError)
    assert isinstance(failure(lambda: model(api_key="nobody:nothing").invoke(QUESTION)), openai.AuthenticationError)
    assert isinstance(failure(lambda: model(model="gpt-4o").invoke(QUESTION)), openai.NotFoundError)
    slow = model(max_tokens=900, temperature=0, timeout=0.02)
    assert isinstance(failure(lambda: slow.invoke(QUESTION)), openai.APITimeoutError)


main()
