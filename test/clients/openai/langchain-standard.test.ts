// LangChain's own standard tests, a suite from outside this project, for its OpenAI classes in Python against the box: chat by
// both of OpenAI's APIs, streams, batches, usage, tools, schemas, embeddings.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { pythonWith } from "../../support/python-venv.ts";
import { brevity } from "./brevity.ts";
import { LANGCHAIN_PYTHON, languageServer } from "./language-server.ts";

const bin = pythonWith(...LANGCHAIN_PYTHON);

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
          BOX_BIAS: JSON.stringify(await brevity()),
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
