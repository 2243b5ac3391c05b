// OpenAI's own Python package, unmodified: every kind of call, and its errors.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { proved } from "../../support/conformance.ts";
import { pythonWith } from "../../support/python-venv.ts";
import { OPENAI_PYTHON } from "./language-server.ts";
import { type WholeServer, wholeServer } from "./whole-server.ts";

const bin = pythonWith(OPENAI_PYTHON);

let server: WholeServer;
beforeAll(async () => {
  server = await wholeServer();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

test.skipIf(bin === undefined)(
  "chat, streams, schemas, tools, responses, embeddings, pictures, sound, moderation and errors",
  async () => {
    const shown = await server.shownBy(bin ?? "", "openai_calls.py");
    expect(shown.length).toBeGreaterThan(25);
    proved("openai-python", ...shown);
  },
  120_000,
);

test.skipIf(bin === undefined)(
  "files and batches: done, counted, listed, cancelled early, kept as long as asked",
  async () => {
    const shown = await server.shownBy(bin ?? "", "openai_batches.py");
    expect(shown).toEqual(["files", "batches"]);
    proved("openai-python", ...shown);
  },
  120_000,
);
