// Installs CUDA's libraries into the data directory: packages fetched or found, hashes checked, all of it or nothing.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { type PullOrder, pull } from "../weights/pull.ts";
import { cudaPackages, type VendorPackage } from "./cuda-packages.ts";
import { cudaFolder, ONNXRUNTIME, type RuntimeNote } from "./installed.ts";
import { extract, readZip } from "./zip.ts";

export type CudaOrder = {
  data: string;
  /** A folder with the packages, or the base URL that they lie under. */
  from: { folder: string } | { url: string };
  /** Of the download. */
  access?: PullOrder["access"];
  limits?: PullOrder["limits"];
  signal?: AbortSignal;
  onProgress?: PullOrder["onProgress"];
  /** For tests: other packages. */
  packages?: readonly VendorPackage[];
};

/**
 * Resolves to the folder. What was installed before is replaced once the new one is complete; runners that use it keep
 * their files. Throws `misconfigured` for packages that are missing, wrong or damaged, and what downloads throw.
 */
export async function installCuda(order: CudaOrder): Promise<string> {
  const { data, from, packages = cudaPackages } = order;
  const target = cudaFolder(data);
  const downloads = join(dirname(target), ".downloads");
  const draft = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
  try {
    const folder = "folder" in from ? await checked(from.folder, packages) : await fetched(from.url, downloads, order);
    await mkdir(draft, { recursive: true, mode: 0o755 });
    const libraries: string[] = [];
    for (const each of packages) libraries.push(...(await unpack(join(folder, each.file), each, draft)));
    const note: RuntimeNote = { onnxruntime: ONNXRUNTIME, packages: packages.map(({ file }) => file), libraries };
    await writeFile(join(draft, "installed.json"), JSON.stringify(note, null, 2), { flush: true });
    const aside = `${draft}.old`;
    await rename(target, aside).catch(() => {}); // there is mostly none
    await rename(draft, target);
    await rm(aside, { recursive: true, force: true });
    await rm(downloads, { recursive: true, force: true });
    return target;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function unpack(path: string, { libraries }: VendorPackage, into: string): Promise<string[]> {
  const wanted = (await readZip(path)).filter((entry) => libraries.test(entry.path));
  if (wanted.length === 0) throw unusable(`${path} has no library like ${libraries.source}`);
  for (const entry of wanted) await extract(path, entry, join(into, basename(entry.path)));
  return wanted.map((entry) => basename(entry.path));
}

/** Resumes where an earlier call stopped; the hashes are checked while the data arrive. */
async function fetched(url: string, downloads: string, order: CudaOrder): Promise<string> {
  const { access, limits, signal, onProgress, packages = cudaPackages } = order;
  const base = url.replace(/\/+$/, "");
  const urls = packages.map(({ file, bytes, sha256 }) => ({ url: `${base}/${file}`, path: file, bytes, sha256 }));
  const { folder } = await pull({
    ...{ source: { urls }, data: downloads },
    ...(access && { access }),
    ...(limits && { limits }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  return folder;
}

async function checked(folder: string, packages: readonly VendorPackage[]): Promise<string> {
  for (const { file, bytes, sha256 } of packages) {
    const path = join(folder, file);
    const size = await stat(path).then(
      (found) => found.size,
      () => undefined,
    );
    if (size === undefined) throw unusable(`${path} is missing`);
    const hash = createHash("sha256");
    if (size === bytes) for await (const chunk of createReadStream(path)) hash.update(chunk);
    if (size !== bytes || hash.digest("hex") !== sha256) throw unusable(`${path} is not the package that is expected`);
  }
  return folder;
}

const unusable = (what: string) =>
  new ForecourtError(
    "misconfigured",
    `${what}. \`forecourt runtime packages cuda\` lists the packages that are needed, with their hashes.`,
  );
