// Remembers which devices passed or failed their test inference, until a driver or a library changes.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Device } from "../../core/device.ts";

/** `reason` is there when it failed. */
export type TrialResult = { at: number; ms: number; reason?: string };

export type TrialMemory = {
  recall(device: Device): TrialResult | undefined;
  note(device: Device, result: TrialResult): void;
  /** Whole or not at all; two processes that save at once lose one's news at most. */
  save(): Promise<void>;
};

/** A failure may have been a moment's: then it is tried again after this time. */
const FAILURE_KEPT_MS = 3_600_000;

/** `versions` are those of the libraries that run on the device. `now` in milliseconds since 1970. */
export async function openTrialMemory(given: {
  data: string;
  versions: readonly string[];
  now: number;
}): Promise<TrialMemory> {
  const file = join(given.data, "runtime", "trials.json");
  const results = new Map(Object.entries(await readResults(file)));
  const keyOf = ({ id, kind, name, slot, uuid, driver, vulkan }: Device) =>
    [id, kind, name, slot, uuid, driver, vulkan?.manifest, vulkan?.stamp, ...given.versions].join("|");
  return {
    recall(device) {
      const result = results.get(keyOf(device));
      const isStale = result?.reason !== undefined && given.now - result.at > FAILURE_KEPT_MS;
      return isStale ? undefined : result;
    },
    note: (device, result) => {
      results.set(keyOf(device), result);
    },
    async save() {
      const draft = `${file}.${randomUUID()}`;
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(draft, JSON.stringify(Object.fromEntries(results), null, 1), { mode: 0o600 });
      await rename(draft, file);
    },
  };
}

/** What cannot be read is tried anew: that is all it costs. */
async function readResults(file: string): Promise<Record<string, TrialResult>> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Record<string, TrialResult>; // written above
  } catch {
    return {};
  }
}
