// Where an archive is unpacked before anything of it is put in place.
import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../process-alive.ts";

/** A name below `data` that is not there. What a process left that was ended in the middle is removed: it may fill the disk. */
export async function newStage(data: string, work: "restoring" | "importing" | "rolling-back"): Promise<string> {
  const left = new RegExp(`^${work}-(\\d+)$`);
  for (const name of readdirSync(data)) {
    const [, pid] = left.exec(name) ?? [];
    if (pid === undefined) continue;
    if (Number(pid) === process.pid || !isAlive(Number(pid)))
      await rm(join(data, name), { recursive: true, force: true });
  }
  return join(data, `${work}-${process.pid}`);
}
