// A server with a model for everything that OpenAI's API does, and programs in Python that call it.
import { join } from "node:path";
import type { Behaviour } from "../../conformance/behaviours.ts";
import { picture, seeingFolder } from "../../engine/support/vision-language.ts";
import { BRIEF, briefModel } from "./brevity.ts";
import { languageServer, MODEL } from "./language-server.ts";

export const SEEING = "test/seeing";
export const MODERATOR = "test/toxic";
export const PICTURE = picture("families/picture.png");

const file = (id: string, rest: string) => `
id: ${id}
title: Tiny
description: Random weights.
licence: { id: Apache-2.0, commercial: true }
memory: { weights: 1000000, working: 1000000 }
price: { unit: request, amount: 0, currency: USD }
${rest}
`;
const seeing = file(SEEING, `category: vision\npipeline: chat\nsource: { path: ${seeingFolder("smolvlm")} }`);
const toxic = file(
  MODERATOR,
  `category: classification
pipeline: classify-text
source: { path: ${join(import.meta.dir, "../../reference/classification/toxic")} }
moderation: { categories: { toxic: harassment } }`,
);

export type WholeServer = Awaited<ReturnType<typeof wholeServer>>;

export async function wholeServer() {
  const server = await languageServer({ models: { seeing, toxic, brief: await briefModel() } });
  const env = {
    ...{ BOX_URL: server.baseURL, BOX_KEY: server.key, BOX_MODEL: MODEL, BOX_SEEING: SEEING, BOX_PICTURE: PICTURE },
    BOX_BRIEF: BRIEF,
    PYTHONDONTWRITEBYTECODE: "1",
  };
  return {
    ...server,
    /** The rows of the table that one of the programs has shown; throws what it complains of. */
    async shownBy(bin: string, program: string, more: Record<string, string> = {}): Promise<Behaviour[]> {
      const command = [join(bin, "python"), join(import.meta.dir, "programs", program)];
      const child = Bun.spawn(command, { env: { ...process.env, ...env, ...more }, stdout: "pipe", stderr: "pipe" });
      const [printed, complaint, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      if (code !== 0) throw new Error(complaint);
      // Some packages speak to their users on the standard output too.
      return JSON.parse(printed.trimEnd().split("\n").at(-1) ?? "[]");
    },
  };
}
