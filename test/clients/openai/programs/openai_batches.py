"""Files and batches by OpenAI's own Python package, unmodified: sent, carried out, counted, listed, cancelled, kept for a while."""
import io
import json
import time

import openai
from rows import BRIEF, KEY, MODEL, QUESTION, URL, failure, main, shows

# Answers that are not as the package declares them are errors.
client = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0, _strict_response_validation=True)
asked = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "max_tokens": 12}
responding = {"model": MODEL, "input": QUESTION, "temperature": 0, "max_output_tokens": 12}
ENDED = ("completed", "failed", "expired", "cancelled")


def begun(endpoint, bodies, **more):
    lines = [{"custom_id": f"n{at}", "method": "POST", "url": endpoint, "body": body} for at, body in enumerate(bodies)]
    text = "\n".join(json.dumps(line) for line in lines)
    sent = client.files.create(file=("in.jsonl", io.BytesIO(text.encode())), purpose="batch")
    return client.batches.create(input_file_id=sent.id, endpoint=endpoint, completion_window="24h", **more)


def ended(batch):
    while (found := client.batches.retrieve(batch.id)).status not in ENDED:
        time.sleep(0.05)
    return found


def lines(file):
    return [json.loads(line) for line in client.files.content(file).text.splitlines()]


def answers(batch):
    assert batch.status == "completed" and batch.error_file_id is None and batch.errors is None
    done = lines(batch.output_file_id)
    assert batch.request_counts.completed == batch.request_counts.total == len(done)
    return [line["response"]["body"] for line in done]


def counted(batch):
    usage = batch.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert usage.output_tokens_details.reasoning_tokens == 0 <= usage.input_tokens_details.cached_tokens
    return usage.input_tokens, usage.output_tokens


@shows("files")
def files():
    sent = client.files.create(
        file=("a.jsonl", b"{}"), purpose="batch", expires_after={"anchor": "created_at", "seconds": 7200}
    )
    assert (sent.bytes, sent.filename, sent.purpose) == (2, "a.jsonl", "batch")
    assert sent.expires_at - sent.created_at == 7200
    assert client.files.retrieve(sent.id) == sent and client.files.wait_for_processing(sent.id) == sent
    assert client.files.content(sent.id).read() == b"{}"
    assert sent.id in [each.id for each in client.files.list(limit=1, order="asc")]
    assert client.files.delete(sent.id).deleted
    assert isinstance(failure(lambda: client.files.retrieve(sent.id)), openai.NotFoundError)


@shows("batches")
def batches():
    kept = {"anchor": "created_at", "seconds": 3600}
    chats = begun("/v1/chat/completions", [asked, {**asked, "n": 2}], output_expires_after=kept, metadata={"of": "one"})
    assert (chats.status, chats.usage.total_tokens, chats.metadata) == ("validating", 0, {"of": "one"})
    assert chats.expires_at - chats.created_at == 24 * 60 * 60
    chats = ended(chats)
    alone = client.chat.completions.create(**asked)
    one, two = answers(chats)
    assert one["choices"][0]["message"]["content"] == alone.choices[0].message.content and len(two["choices"]) == 2
    assert counted(chats) == (2 * alone.usage.prompt_tokens, 3 * alone.usage.completion_tokens)
    assert chats.model == MODEL
    output = client.files.retrieve(chats.output_file_id)
    assert (output.purpose, output.expires_at - output.created_at) == ("batch_output", 3600)

    responses = ended(begun("/v1/responses", [responding, {**responding, "model": BRIEF}]))
    said = [openai.types.responses.Response.model_validate(each) for each in answers(responses)]
    assert said[0].output_text == client.responses.create(**responding).output_text
    assert counted(responses) == tuple(
        sum(getattr(each.usage, name) for each in said) for name in ("input_tokens", "output_tokens")
    )

    embedding = {"model": "test/embed", "input": ["red", "blue"]}
    embeddings = ended(begun("/v1/embeddings", [embedding]))
    [vectors] = answers(embeddings)
    floats = client.embeddings.create(**embedding, encoding_format="float")
    assert [each["embedding"] for each in vectors["data"]] == [each.embedding for each in floats.data]
    assert counted(embeddings) == (floats.usage.prompt_tokens, 0)

    listed = [each.id for each in client.batches.list(limit=1)]
    assert listed[:3] == [embeddings.id, responses.id, chats.id]
    page = client.batches.list(limit=2)
    assert page.has_more and [each.id for each in page.get_next_page().data][:1] == [chats.id]


def wrong():
    batch = ended(begun("/v1/chat/completions", [asked, {**asked, "stream": True}]))
    [error] = batch.errors.data
    assert (batch.status, batch.errors.object) == ("failed", "list") and batch.failed_at >= batch.created_at
    assert (error.code, error.line, error.param) == ("invalid_json_line", 2, "body.stream") and error.message
    mixed = ended(begun("/v1/chat/completions", [asked, {**asked, "temperature": 9}]))
    assert (mixed.request_counts.completed, mixed.request_counts.failed) == (1, 1)
    [refused] = lines(mixed.error_file_id)
    assert (refused["custom_id"], refused["response"]["status_code"]) == ("n1", 400)
    assert isinstance(failure(lambda: client.batches.retrieve("batch_nothing")), openai.NotFoundError)


def cancelled():
    batch = begun("/v1/chat/completions", [{**asked, "max_tokens": 200}] * 200)
    early = client.batches.cancel(batch.id)
    assert early.status == "cancelling" and early.cancelling_at >= early.created_at
    batch = ended(batch)
    assert batch.status == "cancelled" and batch.cancelled_at >= batch.cancelling_at
    assert batch.request_counts.completed < 200
    assert isinstance(failure(lambda: client.batches.cancel(batch.id)), openai.BadRequestError)


wrong()
cancelled()
main()
