// A model's weights folder as a pipeline sees it: files by relative path, graphs opened once.
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, relative, resolve } from "node:path";
import { ForecourtError, invariant, toFailure } from "../../core/errors.ts";
import type { Assets, GraphWish, ImageCodec } from "../../core/pipeline.ts";
import { parsePythonJson } from "../../core/python-json.ts";
import type { TransformersObject } from "../../core/transformers.ts";
import { writeChanged } from "./changed-graph.ts";
import { phonemesOf } from "./phonemes.ts";
import type { OpenGraph } from "./session.ts";

export type AssetsOptions = {
  /** The model's weights. */
  folder: string;
  /** Paths of graphs that are opened instead of others: a model in another precision. */
  graphs?: Record<string, string>;
  open(path: string, options?: GraphWish): Promise<OpenGraph>;
  /** Folder for files that are needed for a moment; absent = the system's. */
  scratch?: string;
  /** Absent where graphs alone are opened. */
  openTransformers?(className: string): Promise<OpenTransformers>;
  codec: ImageCodec;
};

/** With what it holds of the device, to be freed once. */
export type OpenTransformers = TransformersObject & { release(): Promise<void> };

export type LoadedAssets = Assets & {
  /** Frees every graph that was opened. */
  release(): Promise<void>;
};

/** Reading throws `weights_missing` for a file that is absent or broken, and for a path that leaves the folder. */
export function createAssets(options: AssetsOptions): LoadedAssets {
  const { folder, graphs: others = {}, open, openTransformers, scratch = tmpdir(), codec } = options;
  const objects = new Map<string, Promise<OpenTransformers>>();
  const graphs = new Map<string, { key: string; opened: Promise<OpenGraph> }>();

  /** Instead of the one that is open now. */
  function swap(slot: string, key: string, openNew: () => Promise<OpenGraph>): Promise<OpenGraph> {
    const earlier = graphs.get(slot);
    const opened = (async () => {
      await (await earlier?.opened.catch(() => undefined))?.release();
      return await openNew();
    })();
    graphs.set(slot, { key, opened });
    return opened;
  }

  async function openChanged(slot: string, path: string, { changes, states, ...wish }: GraphWish): Promise<OpenGraph> {
    // The earlier graph stays where these changes do not fit.
    using changed = await writeChanged(present(path), { changes, states, scratch });
    return await swap(slot, changes?.key ?? "", () => open(changed.path, wish));
  }

  function locate(path: string): string {
    const full = resolve(folder, path);
    const inside = relative(folder, full);
    if (inside === "" || inside.startsWith("..") || isAbsolute(inside)) throw missing(path, "is outside the weights");
    return full;
  }

  const present = (path: string) => {
    const full = locate(path);
    if (!existsSync(full)) throw missing(path, `is not in ${folder}`);
    return full;
  };

  const bytes = async (path: string) => new Uint8Array(await readFile(present(path)));
  const text = async (path: string) => await readFile(present(path), "utf8");

  return {
    codec,
    bytes,
    text,
    phonemes: phonemesOf,
    list: (path) => (existsSync(locate(path)) ? readdirSync(locate(path)) : []),
    has: (path) => existsSync(locate(others[path] ?? path)),
    json: async <T>(path: string) => parseJson<T>(path, await text(path)),
    graph(wanted, wish) {
      const path = others[wanted] ?? wanted;
      const { changes, states } = wish ?? {};
      const slot = states ? `${path} with states` : path;
      const key = changes?.key ?? "";
      const known = graphs.get(slot);
      if (known?.key === key) return known.opened;
      return changes || states
        ? openChanged(slot, path, wish ?? {})
        : swap(slot, key, async () => open(present(path), wish));
    },
    transformers(className) {
      const known = objects.get(className);
      if (known) return known;
      invariant(openTransformers, "a runner opens transformers.js' objects");
      const opened = openTransformers(className);
      objects.set(className, opened);
      return opened;
    },
    async release() {
      const opened = [...[...graphs.values()].map((each) => each.opened), ...objects.values()];
      graphs.clear();
      objects.clear();
      for (const each of await Promise.allSettled(opened)) {
        if (each.status === "fulfilled") await each.value.release();
      }
    },
  };
}

const missing = (path: string, why: string) =>
  new ForecourtError("weights_missing", `the file ${path} ${why}`, { details: { file: path } });

/** The caller says what it expects of the file; unknown content is checked where it is used. */
function parseJson<T>(path: string, text: string): T {
  try {
    return parsePythonJson(text) as T;
  } catch (cause) {
    throw new ForecourtError("weights_missing", `the file ${path} is not valid JSON: ${toFailure(cause).message}`, {
      details: { file: path },
      cause,
    });
  }
}
