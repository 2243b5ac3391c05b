// Runs declared inputs once after loading: shaders, kernels and arenas are made for their shapes before the first request.
import type { Task } from "../../core/pipeline.ts";
import type { LoadedModel } from "./load.ts";
import { readMedia } from "./media.ts";

/** Throws what the run throws: a model that cannot do what its file declares is not ready. */
export async function warmUp({ run }: LoadedModel, inputs: readonly Record<string, unknown>[]): Promise<void> {
  for (const input of inputs) for await (const _ of run([taskOf(input)], new AbortController().signal));
}

const taskOf = (input: Record<string, unknown>): Task<Record<string, unknown>> => ({
  input,
  // Data URIs alone: nothing was fetched for it.
  media: (url) => readMedia(url, { input, media: {} }),
  save: async (bytes, { name, contentType }) => ({
    ...{ url: `forecourt-file:${name}`, content_type: contentType, file_name: name, file_size: bytes.byteLength },
  }),
  log() {},
});
