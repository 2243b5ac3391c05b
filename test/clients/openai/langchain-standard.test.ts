// LangChain's own standard tests, a suite from outside this project, for its OpenAI classes in Python against the box: chat by
// both of OpenAI's APIs, streams, batches, usage, tools, schemas, embeddings.
import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pythonWith } from "../../support/python-venv.ts";
import { languageServer } from "./language-server.ts";

/** Pinned: another release has other tests. */
const bin = pythonWith("langchain-tests==1.1.9", "langchain-openai==1.7.4");

/** See TestCalls; by the ids of the demo model's vocabulary. */
const BIASES = { '"': 60, '",': 60, '"}': 60, '":': 61, "}": 40, "}}": 40, "3": 10 };

async function biasById(): Promise<Record<number, number>> {
  const file = join(import.meta.dir, "../../../models/demo/llama/tokenizer.json");
  const { vocab } = JSON.parse(await readFile(file, "utf8")).model as { vocab: Record<string, number> };
  const entries = Object.entries(BIASES).map(([token, bias]): [number, number] => {
    const id = vocab[token];
    if (id === undefined) throw new Error(`the demo model has no token ${token}`);
    return [id, bias];
  });
  return Object.fromEntries(entries);
}

test.skipIf(bin === undefined)(
  "the suite passes, but for what only a larger model can",
  async () => {
    await using server = await languageServer();
    const folder = join(import.meta.dir, "langchain");
    const asked = "TestCompletions or TestResponses or TestEmbeddings or tool or structured or json or agent";
    const child = Bun.spawn(
      [join(bin ?? "", "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", asked, "standard.py"],
      {
        cwd: folder,
        env: {
          ...process.env,
          BOX_URL: server.baseURL,
          BOX_KEY: server.key,
          BOX_BIAS: JSON.stringify(await biasById()),
          PYTHONDONTWRITEBYTECODE: "1",
        },
        stderr: "pipe",
      },
    );
    const [printed, complaint, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code !== 0) throw new Error(`${printed}\n${complaint}`);
    const summary = /^.*\bpassed\b.*$/m.exec(printed)?.[0] ?? printed;
    expect(summary).toContain("65 passed");
    expect(summary).toContain("4 xfailed");
  },
  300_000,
);
