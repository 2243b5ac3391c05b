// OpenAI's own Python package, unmodified: every kind of call once, and its errors.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { pythonWith } from "../../support/python-venv.ts";
import { languageServer, MODEL, OPENAI_PYTHON } from "./language-server.ts";

const bin = pythonWith(OPENAI_PYTHON);

let server: Awaited<ReturnType<typeof languageServer>>;
beforeAll(async () => {
  server = await languageServer();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

test.skipIf(bin === undefined)(
  "chat, streams, schemas, tools, responses, embeddings, pictures, sound and errors",
  async () => {
    const script = join(import.meta.dir, "openai_calls.py");
    const child = Bun.spawn([join(bin ?? "", "python"), script, server.baseURL, server.key, MODEL], { stderr: "pipe" });
    const [printed, complaint] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    expect(complaint).toBe("");
    const seen = JSON.parse(printed);
    expect(seen.models).toContain(MODEL);
    expect(seen.text.length).toBeGreaterThan(0);
    expect([seen.streamed, seen.response, seen.events]).toEqual([seen.text, seen.text, seen.text]);
    expect(seen).toMatchObject({ finish: "length", tokens: 12, sound: "RIFF", heard: true, picture: "iVBORw0KGgo" });
    expect(["circle", "star"]).toContain(seen.kept.shape);
    expect(["circle", "star"]).toContain(seen.called.shape);
    expect(seen.vectors[0]).toBe(seen.vectors[1]);
    expect(seen.errors).toEqual([
      ["NotFoundError", 404, "model_not_found", "model"],
      ["BadRequestError", 400, "invalid_value", "temperature"],
      ["AuthenticationError", 401, "invalid_api_key", null],
    ]);
  },
  120_000,
);
