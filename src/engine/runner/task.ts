// A job as its pipeline sees it: the input, its media, a folder for output files, a log.
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { invariant } from "../../core/errors.ts";
import type { Task } from "../../core/pipeline.ts";
import type { RunJob } from "../protocol.ts";
import { findConverter, soundConverter } from "./convert-sound.ts";
import { readMedia } from "./media.ts";

export function createTask({ job, log }: { job: RunJob; log(message: string): void }): Task<Record<string, unknown>> {
  const saved = new Set<string>();
  const converter = findConverter();
  return {
    input: job.input,
    media: (url) => readMedia(url, job),
    async save(bytes, { name, contentType }) {
      const file = safeName(name);
      invariant(!saved.has(file), `a pipeline saved two files named ${file}`);
      saved.add(file);
      await write(join(job.directory, file), bytes);
      return { url: `forecourt-file:${file}`, content_type: contentType, file_name: file, file_size: bytes.byteLength };
    },
    log,
    ...(converter !== undefined && {
      convertSound: soundConverter({ program: converter, folder: job.directory }),
    }),
    ...(job.wantsPartials && { wantsPartials: true }),
    ...(job.session !== undefined && { session: job.session }),
  };
}

/** One path component of letters, digits, dots, dashes and underscores, as control/storage/files.ts serves them. */
export function safeName(name: string): string {
  const plain = name
    .replace(/^.*[/\\]/s, "")
    .replace(/[^\w.-]/g, "_")
    .replace(/^\.+/, "_");
  const cut = plain.length > LONGEST_NAME ? plain.slice(-LONGEST_NAME).replace(/^\./, "_") : plain;
  return cut === "" ? "file" : cut;
}

const LONGEST_NAME = 200;

/** Readers see the whole file or none; it is on disk before the job is reported done. */
async function write(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = join(path, "..", `.${randomUUID()}`);
  try {
    {
      await using file = await open(draft, "wx", 0o600);
      await file.writeFile(bytes);
      await file.datasync();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
