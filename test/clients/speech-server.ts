// A server with small models that speak and listen, under fal's ids.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../support/live-server.ts";

/** A folder of test/reference/speech as a model. */
const model = (pipeline: string, folder: string, aliases: readonly string[]) => `
id: test/${folder}
aliases: [${aliases.join(", ")}]
title: Tiny ${folder}
description: Hears or says nothing that makes sense.
category: audio
licence: { id: Apache-2.0, commercial: true }
pipeline: ${pipeline}
source: { path: ${join(import.meta.dir, "../reference/speech", folder)} }
memory: { weights: 2000000, working: 20000000 }
price: { unit: second, amount: 0, currency: USD }
`;

export async function speechServer() {
  const data = await mkdtemp(join(tmpdir(), "forecourt-speech-"));
  const write = (name: string, text: string) => writeFile(join(data, "models", `${name}.yaml`), text);
  await mkdir(join(data, "models"));
  const languages = ["american-english", "british-english", "spanish"].map((language) => `fal-ai/kokoro/${language}`);
  await write("kokoro", model("speak", "kokoro", languages));
  await write("tones", model("speak", "tones", []));
  await write("whisper", model("transcribe", "whisper", ["fal-ai/whisper", "fal-ai/wizper"]));
  const server = await startServer({ data });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(data, { recursive: true, force: true });
    },
  };
}
