// Packages for Python that are built upon OpenAI's API, unmodified: LangChain, OpenAI's agents, instructor, litellm.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Client } from "../../conformance/behaviours.ts";
import { proved } from "../../support/conformance.ts";
import { pythonWith } from "../../support/python-venv.ts";
import { LANGCHAIN_PYTHON } from "./language-server.ts";
import { type WholeServer, wholeServer } from "./whole-server.ts";

let server: WholeServer;
beforeAll(async () => {
  server = await wholeServer();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

/** Pinned: other releases may behave differently. Those that go together share an environment. */
const langChain = pythonWith(...LANGCHAIN_PYTHON);
const agents = pythonWith("instructor==1.17.0", "openai-agents==0.24.0");
const litellm = pythonWith("litellm==1.110.2");

type Program = { client: Client; bin: string | undefined; program: string; rows: number };
const programs: Program[] = [
  { client: "langchain-python", bin: langChain, program: "langchain_calls.py", rows: 19 },
  { client: "openai-agents", bin: agents, program: "agents_calls.py", rows: 7 },
  { client: "instructor", bin: agents, program: "instructor_calls.py", rows: 4 },
  { client: "litellm-openai", bin: litellm, program: "litellm_calls.py", rows: 14 },
];

describe.each(programs)("$client", ({ client, bin, program, rows }) => {
  test.skipIf(bin === undefined)(
    program,
    async () => {
      // litellm's price list is within the package: it need not look for a newer one.
      const shown = await server.shownBy(bin ?? "", program, { LITELLM_LOCAL_MODEL_COST_MAP: "True" });
      expect(shown).toHaveLength(rows);
      proved(client, ...shown);
    },
    240_000,
  );
});
