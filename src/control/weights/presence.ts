// Whether the weights of a model are on this machine, and how much of them. Looks at names and sizes only.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Model } from "../../engine/model.ts";
import { snapshotFolder } from "./disk/in-place.ts";
import { folderNameOf, weightsRoot } from "./disk/layout.ts";
import { missingFiles, sizeOnDisk } from "./disk/snapshot.ts";
import { bytesOnDisk } from "./disk/turn.ts";
import { filesBelow } from "./library.ts";
import { bytesOf, type PlannedFile } from "./plan/plan.ts";
import { pathOf, placeOfUrls } from "./plan/plan-urls.ts";

export type Presence = {
  /** `built-in`: carried by the executable, or none are needed. */
  state: "built-in" | "complete" | "partial" | "absent";
  /** On disk. */
  bytes: number;
  /** Of all files. */
  wantedBytes: number;
  /** Where they are, or will be. */
  folder?: string;
};

type Whereabouts = { source: Model["source"]; data: string; caches?: readonly string[] };

/** The sources whose files can be fetched. */
export type FetchableSource = Extract<Model["source"], { repo: string } | { urls: unknown }>;

export const isFetchable = (source: Model["source"]): source is FetchableSource => "repo" in source || "urls" in source;

export async function presenceOf({ source, data, caches = [] }: Whereabouts): Promise<Presence> {
  if ("embedded" in source) return { state: "built-in", bytes: 0, wantedBytes: 0 };
  if ("path" in source) return ofFolder(source.path);
  const place = placeOf(source);
  const files = filesOf(source);
  const wantedBytes = bytesOf(files);
  const roots = [weightsRoot(data), ...caches];
  for (const root of roots) {
    const folder = snapshotFolder(root, place);
    if ((await missingFiles(folder, files)).length === 0)
      return { state: "complete", bytes: wantedBytes, wantedBytes, folder };
  }
  const present = await Promise.all(files.map((file) => bytesOnDisk(weightsRoot(data), place, file)));
  const bytes = present.reduce((sum, each) => sum + each, 0);
  const folder = snapshotFolder(weightsRoot(data), place);
  return { state: bytes > 0 ? "partial" : "absent", bytes, wantedBytes, folder };
}

/** The folder's name below a root and its commit. */
export const placeOf = (source: FetchableSource): { folderName: string; commit: string } =>
  "repo" in source ? { folderName: folderNameOf(source.repo), commit: source.revision } : placeOfUrls(source);

const filesOf = (source: FetchableSource): PlannedFile[] =>
  ("repo" in source ? source.files : source.urls.map((file) => ({ ...file, path: pathOf(file) }))).map(
    ({ path, bytes, sha256 }) => ({ path, bytes, digest: { algorithm: "sha256", hex: sha256 }, url: "" }),
  );

async function ofFolder(folder: string): Promise<Presence> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return { state: "absent", bytes: 0, wantedBytes: 0, folder };
  const sizes = await Promise.all((await filesBelow(folder)).map((path) => sizeOnDisk(join(folder, path))));
  const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  return { state: "complete", bytes, wantedBytes: bytes, folder };
}
