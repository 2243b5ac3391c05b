// Whether the operator's model files are others than before, by their names, sizes and times: heard by looking every so often, since watches of
// the system miss disks of other machines, folders that are made later, and what is mounted over them.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Timers } from "../../core/clock.ts";
import type { Milliseconds } from "../../core/units.ts";
import { isModelFile, modelsFolder } from "./operator-files.ts";

export type FileWatch = {
  data: string;
  every: Milliseconds;
  timers: Timers;
  /** Called when two looks in a row found the same, which is not what the call before was for: what is still being written waits, and so does what an editor removes to write it anew. */
  onChange: () => void;
};

/** Until it is disposed. The first call tells of what was changed before anybody looked. */
export function watchModelFiles({ data, every, timers, onChange }: FileWatch): Disposable {
  const folder = modelsFolder(data);
  let [seen, told]: (string | undefined)[] = [undefined, undefined];
  let isOver = false;
  const look = async () => {
    const now = await standingOf(folder);
    if (isOver) return;
    if (now !== undefined && now === seen && now !== told) {
      told = now;
      onChange();
    }
    seen = now ?? seen;
    callOff = timers.after(every, () => void look());
  };
  let callOff = timers.after(every, () => void look());
  return {
    [Symbol.dispose]() {
      isOver = true;
      callOff();
    },
  };
}

/** Undefined where it cannot be looked at now. */
async function standingOf(folder: string): Promise<string | undefined> {
  try {
    const names = (await readdir(folder)).filter(isModelFile).sort();
    return JSON.stringify(await Promise.all(names.map((name) => fileStanding(join(folder, name)))));
  } catch (error) {
    return isAbsent(error) ? "" : undefined;
  }
}

async function fileStanding(path: string) {
  const found = await stat(path).catch(() => undefined);
  return [path, found?.ino, found?.size, found?.mtimeMs, found?.ctimeMs];
}

const isAbsent = (error: unknown) => error instanceof Error && "code" in error && error.code === "ENOENT";
