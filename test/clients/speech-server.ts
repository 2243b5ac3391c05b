// A server with small models that speak and listen, under fal's ids.
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { startServer } from "../support/live-server.ts";

const SPEECH = join(import.meta.dir, "../reference/speech");
export const CONVERSATION = join(SPEECH, "diarization/conversation.flac");

/** The recording of a voice. */
export const ANNA = join(SPEECH, "chatterbox/voices/anna.wav");

/** A folder of test/reference/speech as a model. */
const model = (pipeline: string, folder: string, aliases: readonly string[]) => `
id: test/${basename(folder)}
aliases: [${aliases.join(", ")}]
title: Tiny ${basename(folder)}
description: Hears or says nothing that makes sense.
category: audio
licence: { id: Apache-2.0, commercial: true }
pipeline: ${pipeline}
source: { path: ${resolve(SPEECH, folder)} }
memory: { weights: 2000000, working: 20000000 }
price: { unit: second, amount: 0, currency: USD }
`;

export async function speechServer() {
  const data = await mkdtemp(join(tmpdir(), "forecourt-speech-"));
  const write = (name: string, text: string) => writeFile(join(data, "models", `${name}.yaml`), text);
  await mkdir(join(data, "models"));
  const languages = ["american-english", "british-english", "spanish"].map((language) => `fal-ai/kokoro/${language}`);
  await write("kokoro", model("speak", "kokoro", languages));
  for (const voice of ["tones", "vits", "speecht5", "supertonic", "supertonic-transformers"])
    await write(voice, model("speak", voice, []));
  const copied = "fal-ai/chatterbox/text-to-speech";
  await write(
    "chatterbox",
    model("speak", "chatterbox", [copied, `${copied}/multilingual`, "resemble-ai/chatterboxhd/text-to-speech"]),
  );
  await write("chatterbox-turbo", model("speak", "chatterbox-turbo", [`${copied}/turbo`]));
  // Whisper with what tells speakers apart beside it.
  const listener = join(data, "listener");
  await cp(join(SPEECH, "whisper"), listener, { recursive: true });
  await cp(join(SPEECH, "diarization/diarization"), join(listener, "diarization"), { recursive: true });
  await write("listener", model("transcribe", listener, ["fal-ai/whisper", "fal-ai/wizper"]));
  const server = await startServer({ data });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(data, { recursive: true, force: true });
    },
  };
}
