// The files of <data>/models, read with care: what lies there may be anything.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { ForecourtError, toFailure } from "../../core/errors.ts";

/** `complaint`: why it cannot be read, with the file's name. */
export type OperatorFile = { file: string } & ({ text: string } | { complaint: string });

export const modelsFolder = (data: string) => join(data, "models");
export const isModelFile = (name: string) => /\.ya?ml$/.test(name);

/** The largest of models/ takes a fortieth of it. */
export const MOST_BYTES = 1024 ** 2;

/** By their names; none where there is no folder. Throws `misconfigured` for a folder that cannot be listed. */
export function operatorFiles(data: string): OperatorFile[] {
  const folder = modelsFolder(data);
  if (!existsSync(folder)) return [];
  return namesIn(folder)
    .filter(isModelFile)
    .sort()
    .map((name) => readOperatorFile(join(folder, name)));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw new ForecourtError("misconfigured", `${folder} cannot be listed: ${toFailure(cause).message}.`, { cause });
  }
}

function readOperatorFile(file: string): OperatorFile {
  try {
    return { file, text: textOf(file) };
  } catch (error) {
    return { file, complaint: `${file}: ${toFailure(error).message.replace(/\.$/, "")}.` };
  }
}

/** A device may act when it is opened, and a pipe waits for a writer: both are looked at first, and no more is read than may be. */
function textOf(file: string): string {
  expectPlain(statSync(file));
  const opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    expectPlain(fstatSync(opened));
    const bytes = new Uint8Array(MOST_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= MOST_BYTES; length += read)
      read = readSync(opened, bytes, length, bytes.length - length, null);
    if (length > MOST_BYTES) throw tooLarge();
    return decode(bytes.subarray(0, length));
  } finally {
    closeSync(opened);
  }
}

function expectPlain(found: Stats): void {
  if (!found.isFile()) throw new ForecourtError("misconfigured", "it is no plain file; a model file is");
  if (found.size > MOST_BYTES) throw tooLarge();
}

const tooLarge = () =>
  new ForecourtError("misconfigured", `it is larger than the ${MOST_BYTES / 1024} KiB that a model file may have`);

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ForecourtError("misconfigured", "not valid YAML, it is not text in UTF-8; save it as that", { cause });
  }
}
