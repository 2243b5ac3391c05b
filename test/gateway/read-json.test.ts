import { describe, expect, test } from "bun:test";
import { bytes } from "../../src/core/units.ts";
import { readJson } from "../../src/gateway/read-json.ts";

const LIMIT = bytes(1_000);
const post = (body: BodyInit | null, headers: Record<string, string> = {}) =>
  new Request("http://localhost/", { method: "POST", headers, ...(body !== null && { body }) });

/** A body of unknown length, as `Transfer-Encoding: chunked` brings it; counts what was taken from it. */
function chunked(chunks: string[]) {
  let taken = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[taken++];
        if (chunk === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(chunk));
      },
    },
    { highWaterMark: 0 },
  );
  return { request: post(body), taken: () => taken };
}

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

describe("a JSON body", () => {
  test("is read whether its length is announced or not", async () => {
    expect(await readJson(post('{"a":1}', { "content-length": "7" }), LIMIT)).toEqual({ a: 1 });
    expect(await readJson(chunked(['{"a":', '"ü"}']).request, LIMIT)).toEqual({ a: "ü" });
  });

  test("may be missing or blank: an empty input", async () => {
    expect(await readJson(post(null), LIMIT)).toEqual({});
    expect(await readJson(post(""), LIMIT)).toEqual({});
    expect(await readJson(post(" \n\t"), LIMIT)).toEqual({});
  });

  test("that is packed is refused with the reason, and not as wrong JSON", async () => {
    const body = Bun.gzipSync("{}");
    for (const announced of [{}, { "content-length": String(body.length) }])
      await expect(readJson(post(body, { "content-encoding": "gzip", ...announced }), LIMIT)).rejects.toMatchObject({
        ...{ code: "bad_request", message: expect.stringContaining("Content-Encoding gzip") },
      });
    expect(await readJson(post("{}", { "content-encoding": "identity" }), LIMIT)).toEqual({});
  });

  test("beyond the limit is refused by its announced length alone", async () => {
    const request = post("{}", { "content-length": "1001" });
    await expect(readJson(request, LIMIT)).rejects.toMatchObject({ code: "payload_too_large" });
    expect(request.bodyUsed).toBe(false);
  });

  test("of unknown length is read no further than the limit", async () => {
    const { request, taken } = chunked(Array.from({ length: 100 }, () => "x".repeat(400)));
    await expect(readJson(request, LIMIT)).rejects.toMatchObject({ code: "payload_too_large" });
    expect(taken()).toBeLessThan(6);
  });

  test("may be nested as deep as inputs are, and no deeper", async () => {
    expect(await readJson(post(nested(64)), LIMIT)).toBeArray();
    await expect(readJson(post(nested(65)), LIMIT)).rejects.toMatchObject({ code: "invalid_input" });
  });

  test("that does not come to its end is given up in time, with a sentence", async () => {
    const endless = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array([0x7b])),
    });
    await expect(readJson(post(endless), LIMIT, 20)).rejects.toThrow(
      "The request body did not arrive within 0.02 seconds",
    );
  });
});
