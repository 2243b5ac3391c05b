// Weights that a request names by their repository on the Hub, as a LoRA's path may: its one file of weights, put on disk.
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import type { Bytes, Milliseconds } from "../../core/units.ts";
import type { Hub, HubFile } from "./hub.ts";
import type { Web } from "./transfer/web.ts";

/** Writes the file `to`. Throws `file_download_error` with a problem that says why there is none to be had. */
export type NamedWeights = (repo: string, to: string, signal: AbortSignal) => Promise<void>;

type Parts = { hub: Hub; web: Web; maxBytes: Bytes; timeout: Milliseconds };

/** The box's token opens nothing here: whoever may call a model may not read all that the box may. */
export function createNamedWeights({ hub, web, maxBytes, timeout }: Parts): NamedWeights {
  async function fetchFrom(repo: string, to: string, signal: AbortSignal): Promise<void> {
    const { commit, gated, private: isPrivate } = await hub.revision(repo, "main", signal, 1);
    if (gated || isPrivate) throw refused(`${repo} is not open to everyone`);
    const { path, bytes } = weightsOf(repo, await hub.files(repo, commit, signal));
    if (bytes > maxBytes) throw refused(`${path} of ${repo} is larger than ${maxBytes} bytes`, "file_too_large");
    const { response } = await web.get(hub.url(repo, commit, path), { signal });
    if (!response.ok || !response.body) throw await hub.explain({ repo, revision: commit, path })(response);
    await pipeline(response.body, createWriteStream(to, { mode: 0o600 }), { signal });
  }

  return async (repo, to, signal) => {
    const deadline = AbortSignal.timeout(timeout);
    try {
      await fetchFrom(repo, to, AbortSignal.any([signal, deadline]));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (deadline.aborted) throw refused(`it took longer than ${timeout / 1000} seconds`);
      if (error instanceof ForecourtError && error.problems) throw error;
      throw refused(toFailure(error).message, "file_download_error", error);
    }
  };
}

/** The name that diffusers and peft save under. */
const USUAL = "pytorch_lora_weights.safetensors";

/** As diffusers chooses: the file of the usual name, else the only one. */
function weightsOf(repo: string, files: readonly HubFile[]): HubFile {
  const weights = files.filter(({ path }) => path.endsWith(".safetensors"));
  const [only, ...others] = weights;
  const chosen = weights.find(({ path }) => path === USUAL) ?? (others.length === 0 ? only : undefined);
  if (chosen) return chosen;
  const names = weights.slice(0, 8).map(({ path }) => path);
  throw refused(
    weights.length === 0
      ? `${repo} has no .safetensors file`
      : `${repo} has several files of weights (${names.join(", ")}): give the URL of one, as https://huggingface.co/${repo}/resolve/main/${names[0]}`,
  );
}

function refused(why: string, type = "file_download_error", cause?: unknown): ForecourtError {
  const msg = `Failed to download the file: ${why}`;
  return new ForecourtError("file_download_error", msg, { problems: [{ loc: ["body"], msg, type }], cause });
}
