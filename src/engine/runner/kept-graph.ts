// Graphs as onnxruntime has optimised them, kept on disk: the next process opens them without doing that again.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, open, readdir, readFile, realpath, rename, rm, stat, utimes } from "node:fs/promises";
import { cpus } from "node:os";
import { basename, dirname, join } from "node:path";
import { toFailure } from "../../core/errors.ts";
import type { Bytes } from "../../core/units.ts";
import { type GraphOptions, ONNXRUNTIME, type OpenGraph, openGraph, sessionSettings } from "./session.ts";

export type KeptGraphs = {
  folder: string;
  /** Of all files together; what was opened least recently goes. 0 keeps nothing. */
  limit: Bytes;
  /** What keeping came to that it should not; the graph is open nevertheless. */
  warn(message: string): void;
};

/**
 * Larger files gain little, since reading their weights takes most of the time, and onnxruntime holds a second copy in
 * memory while it writes one.
 */
const LARGEST = 256 * 1024 * 1024;

/** Field 1 of a StringStringEntryProto with the key "location" (onnx.proto): a weight that lies in another file. */
const EXTERNAL = Buffer.from("\n\blocation");

/** A name of the Hub's layout, whose `blobs` are called after their SHA-256 (control/weights). */
const BLOB = /^[0-9a-f]{64}$/;

/** Its name and what it can do, as Linux tells them. */
const PROCESSOR = `${cpus()[0]?.model} ${process.platform === "linux" ? /^(flags|Features)\s*:.*$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[0] : ""}`;

/** A draft that is older belongs to a process that was ended. */
const DRAFT_MS = 3_600_000;

/**
 * `openGraph` of the kept form where there is one, else of the file itself, whose optimised form is then kept. The key is
 * of the graph's content, the session's options, onnxruntime's version and the processor: what is optimised for one that
 * has AVX-512 does not run on others. On the CPU alone, where it was tried.
 */
export async function openKept(path: string, options: GraphOptions, kept: KeptGraphs | undefined): Promise<OpenGraph> {
  const plain = () => openGraph(path, options);
  if (!kept?.limit || options.device.kind !== "cpu" || options.execution?.optimization === "disabled") return plain();
  const content = await contentOf(path);
  if (!content) return plain();
  const place = { path, file: join(kept.folder, `${keyOf(content.sha256, options)}.onnx`) };
  return (
    (await openOptimised(place, options, kept)) ?? (await openAndKeep({ ...place, content }, options, kept)) ?? plain()
  );
}

/** The graph's own file, and its kept form, which may not be there. */
type Place = { path: string; file: string };

async function openOptimised({ file, path }: Place, options: GraphOptions, { warn }: KeptGraphs) {
  if (!existsSync(file)) return undefined;
  try {
    const graph = await openGraph(file, { ...options, optimised: { of: path } });
    // Says when it was used last; another process may have removed it by now.
    await utimes(file, new Date(), new Date()).catch(() => {});
    return graph;
  } catch (error) {
    warn(`the kept form of ${path} is not usable and made anew: ${toFailure(error).message}`);
    await rm(file, { force: true });
    return undefined;
  }
}

/** Undefined when the graph could not be opened while it was written, for whatever reason. */
async function openAndKeep(
  { file, path, content }: Place & { content: Content },
  options: GraphOptions,
  kept: KeptGraphs,
) {
  const draft = `${file}.${process.pid}`;
  try {
    if (await content.hasWeightsBeside()) return undefined;
    await mkdir(kept.folder, { recursive: true, mode: 0o700 });
    const graph = await openGraph(path, { ...options, optimised: { into: draft } });
    await settle(draft, file, kept).catch((error) => failed(draft, path, error, kept));
    return graph;
  } catch (error) {
    await failed(draft, path, error, kept);
    return undefined;
  }
}

async function failed(draft: string, path: string, error: unknown, { warn }: KeptGraphs): Promise<void> {
  // There may be no draft, nor a folder.
  await rm(draft, { force: true }).catch(() => {});
  warn(`the optimised form of ${path} could not be kept: ${toFailure(error).message}`);
}

/** On the disk before it has its name: what has a name is whole, whenever the power goes. */
async function settle(draft: string, file: string, { folder, limit }: KeptGraphs): Promise<void> {
  {
    await using written = await open(draft, "r+");
    await written.chmod(0o600);
    await written.datasync();
  }
  await rename(draft, file);
  await prune(folder, limit);
}

async function prune(folder: string, limit: number): Promise<void> {
  const files: { path: string; size: number; usedAt: number }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const facts = await stat(path).catch(() => undefined);
    if (!facts) continue;
    if (name.endsWith(".onnx")) files.push({ path, size: facts.size, usedAt: facts.mtimeMs });
    else if (Date.now() - facts.mtimeMs > DRAFT_MS) await rm(path, { force: true });
  }
  let left = limit;
  for (const { path, size } of files.sort((a, b) => b.usedAt - a.usedAt)) {
    left -= size;
    if (left < 0) await rm(path, { force: true });
  }
}

/** Of a graph's file, in hexadecimal digits, and whether its weights lie in other files. */
type Content = { sha256: string; hasWeightsBeside(): Promise<boolean> };

/**
 * Reads the file at most once: now, unless its name says its hash, else when its weights are asked about. Undefined where
 * keeping it is not worth while, or there is none.
 */
async function contentOf(path: string): Promise<Content | undefined> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined || (await stat(real)).size > LARGEST) return undefined;
  if (BLOB.test(basename(real)) && basename(dirname(real)) === "blobs")
    return { sha256: basename(real), hasWeightsBeside: async () => (await readFile(real)).includes(EXTERNAL) };
  const content = await readFile(real);
  // Nothing is looked up for it, and no hash needed.
  if (content.includes(EXTERNAL)) return undefined;
  return { sha256: createHash("sha256").update(content).digest("hex"), hasWeightsBeside: async () => false };
}

function keyOf(content: string, options: GraphOptions): string {
  const parts = [content, sessionSettings(options), ONNXRUNTIME, process.arch, PROCESSOR];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
