// Writes an embedded folder to disk, once and completely: native code can only open files that are really there.
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import { type EmbeddedFolder, embeddedPath } from "./embedded.ts";

export type UnpackOptions = {
  folder: EmbeddedFolder;
  /** Existing or future directory that holds unpacked folders. */
  into: string;
  /** Where the files are read; by default inside the executable. */
  from?: string;
};

/**
 * The path of the unpacked folder, `<into>/<name>-<hash>`. Two processes may unpack at once: each writes a folder of its
 * own and one rename wins. Unpacking removes what other versions of this executable left. Throws `misconfigured` when
 * the disk is full or not writable.
 */
export async function unpack({ folder, into, from = embeddedPath(folder) }: UnpackOptions): Promise<string> {
  const prefix = folder.name.replaceAll("/", "-");
  const target = join(into, `${prefix}-${folder.hash}`);
  if (await isComplete(folder, target)) return target;
  const draft = join(into, `.${basename(target)}.${randomUUID()}`);
  try {
    await copy({ folder, from, to: draft });
    await publish({ folder, draft, target });
    await removeOthers({ into, prefix, keep: basename(target) });
    return target;
  } catch (cause) {
    throw new ForecourtError("misconfigured", `cannot unpack ${folder.name} to ${into}: ${toFailure(cause).message}`, {
      cause,
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** A folder gets its name only when complete; sizes still tell one that was damaged since. */
async function isComplete({ files }: EmbeddedFolder, path: string): Promise<boolean> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(path, file.path)).then(
        ({ size }) => size,
        () => undefined,
      ),
    ),
  );
  return files.every(({ size }, index) => sizes[index] === size);
}

async function copy({ folder, from, to }: { folder: EmbeddedFolder; from: string; to: string }): Promise<void> {
  for (const { path } of folder.files) {
    const destination = join(to, path);
    await mkdir(dirname(destination), { recursive: true, mode: 0o700 });
    await Bun.write(destination, Bun.file(join(from, path)));
    await using file = await open(destination, "r");
    // Before the rename: after a power cut the name must not lead to empty files.
    await file.sync();
  }
}

type Publication = { folder: EmbeddedFolder; draft: string; target: string };

async function publish({ folder, draft, target }: Publication): Promise<void> {
  try {
    await rename(draft, target);
  } catch (error) {
    if (await isComplete(folder, target)) return;
    const damaged = await stat(target).catch(() => undefined);
    if (!damaged) throw error;
    const aside = `${draft}.damaged`;
    await rename(target, aside);
    await rename(draft, target);
    await rm(aside, { recursive: true, force: true });
  }
}

/** Files in use stay readable for the process that has them open or mapped. */
async function removeOthers({ into, prefix, keep }: { into: string; prefix: string; keep: string }): Promise<void> {
  const ofAnyVersion = new RegExp(`^${RegExp.escape(prefix)}-[0-9a-f]{16}$`);
  for (const name of await readdir(into)) {
    if (name !== keep && ofAnyVersion.test(name)) await rm(join(into, name), { recursive: true, force: true });
  }
}
