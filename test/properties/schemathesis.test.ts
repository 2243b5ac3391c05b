// Schemathesis, which reads the Swagger document and asks for everything in it, rightly and wrongly: nothing to complain of.
import { expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../support/live-server.ts";
import { pythonWith } from "../support/python-venv.ts";

const bin = pythonWith("schemathesis==4.32.5");

const ROOT = import.meta.dir;
const REFERENCE = join(ROOT, "../reference");

/** Models under the names of the document's examples that answer at once: pictures and long answers only take longer. */
const model = (id: string, pipeline: string, source: string, more: string) => `
id: ${id}
title: Quick
description: Random weights, or none.
category: ${pipeline}
licence: { id: Apache-2.0, commercial: true }
pipeline: ${pipeline}
source: ${source}
memory: { weights: 1000000, working: 1000000 }
price: { unit: request, amount: 0, currency: USD }
${more}`;

const path = (folder: string) => `{ path: ${join(REFERENCE, folder)} }`;
const MODELS = {
  echo: model(
    ...(["forecourt/echo", "echo", "{ embedded: none }"] as const),
    "bounds: { steps: { maximum: 3 }, step_ms: { maximum: 2 } }\nexamples:\n  - prompt: a red circle\n",
  ),
  llama: model(
    ...(["forecourt/demo-llama", "chat", path("language/llama")] as const),
    "bounds: { max_tokens: { maximum: 8 } }\ndefaults: { max_tokens: 8 }\n",
  ),
  diffusion: model(
    ...(["forecourt/demo-diffusion", "text-to-image", path("families/sd")] as const),
    "bounds: { num_inference_steps: { maximum: 1 }, image_size: { maximum: 64 } }\ndefaults: { num_inference_steps: 1 }\n",
  ),
  toxic: model(
    ...(["test/toxic", "classify-text", path("classification/toxic")] as const),
    "moderation: { categories: { toxic: harassment } }\n",
  ),
  unsafe: model(...(["test/unsafe", "check-image", path("vision/labelling/nsfw")] as const), ""),
};
/** What judges texts and pictures where none is named. */
const NAMES = { "omni-moderation-latest": ["test/toxic", "test/unsafe"] };

/**
 * Its rules are left out where fal's protocol has others: the queue takes any input, whose faults show at the result, and
 * a GET of what is not there yet is a 400; a run may also be a GET. Times, cursors, budgets, prices, idempotency keys
 * and what one of many models takes can be wrong beyond what a schema says. Lists of more and longer texts than may be are
 * larger than any body may be: 413, which it does not expect. Lists of ids of more than 16 kB are refused with a bare 431
 * before any route. `limit=null` is an absent limit, `expand=` an empty list.
 */
const CONFIG = `
hooks = "${join(ROOT, "hooks.py")}"

[[operations]]
include-path-regex = "^/queue/"
[operations.checks]
negative_data_rejection.enabled = false
positive_data_acceptance.enabled = false

[[operations]]
include-path-regex = "^/(run/|fal/proxy|mcp|admin/v1/models/)"
[operations.checks]
unsupported_method.enabled = false
allow_header_conformance.enabled = false

[[operations]]
include-path-regex = "^/(platform/|v1/|rest/|cdn/|fal/proxy|mcp|admin/v1/(audit|keys|limits|prices|queue|usage))"
[operations.checks]
positive_data_acceptance.enabled = false

[[operations]]
include-path-regex = "^/(admin/v1/usage|platform/v1/account/billing|v1/(batches|conversations/|files|embeddings|moderations|rerank|responses/))"
[operations.checks]
negative_data_rejection.enabled = false

[[operations]]
include-path-regex = "^/platform/v1/models/"
[operations.checks]
negative_data_rejection.enabled = false
content_type_conformance.enabled = false
response_schema_conformance.enabled = false
`;

/** Fixed, so that a failure is of the change at hand; another one looks elsewhere. */
const SEED = process.env.FORECOURT_FUZZ_SEED ?? "1";

/** Every model has the same operations; pictures only take longer. */
const OTHER_MODELS = "^/(run|queue)/(?!forecourt/echo)";

test.skipIf(bin === undefined)(
  "Schemathesis is content with every operation of the document",
  async () => {
    const data = await mkdtemp(join(tmpdir(), "forecourt-schemathesis-"));
    await mkdir(join(data, "models"));
    for (const [name, text] of Object.entries(MODELS)) await writeFile(join(data, "models", `${name}.yaml`), text);
    await writeFile(join(data, "schemathesis.toml"), CONFIG);
    try {
      await using server = await startServer({
        data,
        env: { FORECOURT_HUB_OFFLINE: "true", FORECOURT_OPENAI_MODELS: JSON.stringify(NAMES) },
      });
      const child = Bun.spawn(
        [
          ...[join(bin ?? "", "schemathesis"), "--config-file", join(data, "schemathesis.toml")],
          ...["run", `${server.origin}/swagger/json`, "--header", `Authorization: Key ${server.key}`],
          ...["--exclude-path-regex", OTHER_MODELS, "--phases", "examples,coverage,fuzzing", "--max-examples", "5"],
          ...["--request-timeout", "20", "--continue-on-failure", "--no-color", "--suppress-health-check", "all"],
          ...["--generation-database", "none", "--seed", SEED],
        ],
        {
          cwd: data,
          env: { ...process.env, OWN_KEY_ID: server.key.split(":")[0] },
          stdout: "pipe",
          stderr: "pipe",
        },
      );
      const [stdout, stderr] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      const code = await child.exited;
      if (code !== 0) throw new Error(`${stdout.slice(-20_000)}\n${stderr}`);
      expect(Number(/(\d+) generated/.exec(stdout)?.[1])).toBeGreaterThan(500);
      // What was asked was asked with a key that holds to the end.
      expect(stdout).not.toContain("Authentication failed");
      const headers = { authorization: `Key ${server.key}` };
      expect((await fetch(`${server.origin}/admin/v1/keys`, { headers })).status).toBe(200);
    } finally {
      await rm(data, { recursive: true, force: true });
    }
  },
  600_000,
);
