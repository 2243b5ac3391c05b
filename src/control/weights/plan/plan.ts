// What one source comes to: a commit and its wanted files. Plans are kept, since a commit never changes: no second
// question to the Hub, and the box knows without a network whether a snapshot is complete.
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { choice, parse, type Static, Type } from "../../../core/schema.ts";
import { checkedPath, type RepoFolder } from "../disk/layout.ts";

const plannedFile = Type.Object({
  path: Type.String(),
  bytes: Type.Integer({ minimum: 0 }),
  digest: Type.Object({ algorithm: choice(["sha256", "git-sha1"]), hex: Type.String({ pattern: "^[0-9a-f]+$" }) }),
  url: Type.String(),
});
const planSchema = Type.Object({
  version: Type.Literal(1),
  /** The repository, or where plain files come from: for people. */
  title: Type.String(),
  files: Type.Array(plannedFile),
});

export type PlannedFile = Static<typeof plannedFile>;

export type Plan = {
  title: string;
  /** `models--owner--name` or `urls--...`. */
  folderName: string;
  /** 40 hex digits; for plain URLs, a hash of paths and contents. */
  commit: string;
  /** The branch or tag that was asked for and is this commit now. */
  ref?: string;
  /** Names the question, so that the same one finds its plan again. */
  key: string;
  files: PlannedFile[];
};

export const planKey = (question: unknown) =>
  new Bun.CryptoHasher("sha256").update(JSON.stringify(question)).digest("hex").slice(0, 16);

export const bytesOf = (files: readonly { bytes: number }[]) => files.reduce((sum, { bytes }) => sum + bytes, 0);

/** Each content once: two paths of a plan may be the same file. */
export function blobsOf(files: readonly PlannedFile[]): PlannedFile[] {
  return [...new Map(files.map((file) => [file.digest.hex, file])).values()];
}

export async function storePlan(folder: RepoFolder, { commit, key, title, files }: Plan): Promise<void> {
  const path = join(folder.plans, commit, `${key}.json`);
  await mkdir(join(folder.plans, commit), { recursive: true });
  const fresh = `${path}.${process.pid}.new`;
  await writeFile(fresh, JSON.stringify({ version: 1, title, files }, null, 1));
  await rename(fresh, path);
}

/** Undefined when it was never asked or the note is unreadable. */
export async function recallPlan(folder: RepoFolder, commit: string, key: string) {
  return readPlan(join(folder.plans, commit, `${key}.json`));
}

/** Everything that was ever asked for of a commit, each path once; undefined if nothing was. */
export async function recallAll(folder: RepoFolder, commit: string) {
  const names = await readdir(join(folder.plans, commit)).catch(() => []);
  const plans = await Promise.all(
    names.filter((name) => name.endsWith(".json")).map((name) => readPlan(join(folder.plans, commit, name))),
  );
  const known = plans.filter((plan) => plan !== undefined);
  const [first] = known;
  if (!first) return undefined;
  const files = new Map(known.flatMap(({ files }) => files).map((file) => [file.path, file]));
  return { title: first.title, files: [...files.values()] };
}

async function readPlan(path: string) {
  try {
    const { title, files } = parse(planSchema, JSON.parse(await readFile(path, "utf8")));
    for (const file of files) checkedPath(file.path);
    return { title, files };
  } catch {
    return undefined; // it is asked for anew, then
  }
}
