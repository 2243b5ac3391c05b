// What the kernel tells of running cards (AMD, Intel) and of the processor, from /sys and /proc.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { bytes } from "../../core/units.ts";
import type { CardSample } from "./readings.ts";

/** Undefined when the card is no longer on the bus. Intel's driver gives no figures: its presence is all. */
export async function samplePciCard(root: string, slot: string): Promise<CardSample | undefined> {
  const folder = join(root, "sys/bus/pci/devices", slot);
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  const [total, used, busy] = await Promise.all(
    ["mem_info_vram_total", "mem_info_vram_used", "gpu_busy_percent"].map((name) => read(join(folder, name))),
  );
  return parseAmdgpu({ total, used, busy });
}

export function parseAmdgpu({ total, used, busy }: Record<"total" | "used" | "busy", string | undefined>): CardSample {
  const [all, held, percent] = [total, used, busy].map((text) =>
    /^\d+\s*$/.test(text ?? "") ? Number(text) : undefined,
  );
  return {
    ...(all !== undefined && held !== undefined && { memory: { total: bytes(all), free: bytes(all - held) } }),
    ...(percent !== undefined && { utilisation: percent / 100 }),
  };
}

/** Clock ticks since the machine started, of all its cores together. */
export type Ticks = { busy: number; all: number };

/** First line of /proc/stat: user nice system idle iowait irq softirq steal ...; guests are counted in user already. */
export function parseTicks(stat: string): Ticks | undefined {
  const fields = /^cpu +([\d ]+)/.exec(stat)?.[1]?.trim().split(/ +/).map(Number).slice(0, 8);
  if (!fields || fields.length < 4) return undefined;
  const all = fields.reduce((sum, each) => sum + each, 0);
  return { busy: all - (fields[3] ?? 0) - (fields[4] ?? 0), all };
}

export const readTicks = async (root: string) => parseTicks((await read(join(root, "proc/stat"))) ?? "");

/** Between two looks; undefined for the first one. */
export function utilisationBetween(before: Ticks | undefined, after: Ticks | undefined): number | undefined {
  if (!before || !after || after.all <= before.all) return undefined;
  return Math.min(1, Math.max(0, (after.busy - before.busy) / (after.all - before.all)));
}

const read = (path: string) => readFile(path, "utf8").catch(() => undefined);
