// A server with a small language model of random weights, which speaks nonsense, always the same, and the demo models
// that draw, with few steps.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LiveServerOptions, startServer } from "../../support/live-server.ts";

const LLAMA = join(import.meta.dir, "../../reference/language/llama");

export const BERT = join(import.meta.dir, "../../reference/embedding/bert");

export const MODEL = "test/llama";

/** Pinned: another release may behave differently. */
export const OPENAI_PYTHON = "openai==3.51.0";

/** Likewise: with LangChain's standard tests, which have other cases in another release. */
export const LANGCHAIN_PYTHON = ["langchain-tests==1.1.9", "langchain-openai==1.7.4"];

const model = (id: string, more = "") => `
id: ${id}
title: Tiny LLaMA
description: Random weights.
category: llm
licence: { id: Apache-2.0, commercial: true }
pipeline: chat
source: { path: ${LLAMA} }
memory: { weights: 1000000, working: 1000000 }
price: { unit: input_token, amount: 0.001, currency: USD, also: [{ unit: output_token, amount: 0.002 }] }
limits: { maxBatch: 4 }
${more}`;

const drawing = (pipeline: string) => `
id: test/${pipeline}
title: Draws
description: Few steps.
category: ${pipeline}
licence: { id: Apache-2.0, commercial: true }
pipeline: ${pipeline}
source: { embedded: demo/diffusion }
memory: { weights: 140000000, working: 60000000 }
price: { unit: image, amount: 0, currency: USD }
bounds: { image_size: { maximum: 512 } }
defaults: { num_inference_steps: 4, guidance_scale: 3, output_format: png }
`;

const reading = (pipeline: string) => `
id: test/${pipeline}
title: Tiny BERT
description: Random weights.
category: ${pipeline}
licence: { id: Apache-2.0, commercial: true }
pipeline: ${pipeline}
source: { path: ${BERT} }
${pipeline === "rerank" ? "graphs: { onnx/model.onnx: onnx/rerank.onnx }" : ""}
memory: { weights: 1000000, working: 1000000 }
price: { unit: input_token, amount: 0.001, currency: USD }
`;

/** Of random weights: Whisper; of tones: a voice. */
const sounding = (pipeline: string, folder: string) => `
id: test/${pipeline}
title: Tiny ${folder}
description: Hears or says nothing that makes sense.
category: audio
licence: { id: Apache-2.0, commercial: true }
pipeline: ${pipeline}
source: { path: ${join(import.meta.dir, "../../reference/speech", folder)} }
memory: { weights: 2000000, working: 20000000 }
price: { unit: second, amount: 0, currency: USD }
`;

type Options = Pick<LiveServerOptions, "env"> & {
  /** Further model files, by name. */
  models?: Record<string, string>;
};

export async function languageServer({ models = {}, ...options }: Options = {}) {
  const data = await mkdtemp(join(tmpdir(), "forecourt-openai-"));
  await mkdir(join(data, "models"));
  await writeFile(join(data, "models", "llama.yaml"), model(MODEL, "aliases: [openai/gpt-tiny]"));
  for (const pipeline of ["text-to-image", "image-to-image", "inpaint"])
    await writeFile(join(data, "models", `${pipeline}.yaml`), drawing(pipeline));
  for (const pipeline of ["embed", "rerank"])
    await writeFile(join(data, "models", `${pipeline}.yaml`), reading(pipeline));
  await writeFile(join(data, "models", "speak.yaml"), sounding("speak", "tones"));
  await writeFile(join(data, "models", "transcribe.yaml"), sounding("transcribe", "whisper"));
  for (const [name, text] of Object.entries(models)) await writeFile(join(data, "models", `${name}.yaml`), text);
  const server = await startServer({ data, ...options });
  return {
    ...server,
    baseURL: `${server.origin}/v1`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(data, { recursive: true, force: true });
    },
  };
}
