// What nvidia-smi tells of running cards: memory, utilisation, heat, and what each process holds. Parsers are pure.
import { type Bytes, bytes, MIB } from "../../core/units.ts";
import { askNvidiaSmi, sysfsSlot } from "./nvidia-smi.ts";
import type { CardSample } from "./readings.ts";

const CARD_FIELDS = ["pci.bus_id", "memory.total", "memory.free", "utilization.gpu", "temperature.gpu", "power.draw"];
const CARD_QUERY = `--query-gpu=${CARD_FIELDS.join(",")}`;
const PROCESS_QUERY = "--query-compute-apps=pid,used_memory";

export type NvidiaSample = {
  cards: Map<string, CardSample>;
  processes: Map<number, Bytes>;
  /** The tool refused, hung or is gone. */
  isSilent: boolean;
};

export async function sampleNvidia(command: string, timeoutMs: number): Promise<NvidiaSample> {
  const [cards, processes] = await Promise.all([
    askNvidiaSmi(command, { timeoutMs, query: CARD_QUERY }),
    askNvidiaSmi(command, { timeoutMs, query: PROCESS_QUERY }),
  ]);
  return {
    cards: cards.type === "answered" ? parseCardReadings(cards.stdout) : new Map(),
    processes: processes.type === "answered" ? parseProcesses(processes.stdout) : new Map(),
    isSilent: cards.type !== "answered" && !isGone(cards),
  };
}

/** Driver and tool answer, and what they say is that nothing is there. */
const isGone = (answer: { type: string; output?: string }) => /no devices were found/i.test(answer.output ?? "");

/** A card that fell off the bus is listed with errors in place of numbers, or only named in a sentence. */
const BROKEN = /\[?(GPU is lost|GPU requires reset|Unknown Error)\]?|^ERR!?$/i;

export function parseCardReadings(stdout: string): Map<string, CardSample> {
  const cards = new Map<string, CardSample>();
  for (const line of stdout.split("\n")) {
    const [slot = "", total = "", free = "", utilisation = "", celsius = "", watts = "", ...more] = fieldsOf(line);
    if (!/^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]$/i.test(slot) || more.length > 0) continue;
    if ([total, free, utilisation].some((field) => BROKEN.test(field))) continue;
    const [all, left] = [numberIn(total), numberIn(free)];
    const [used, heat, power] = [numberIn(utilisation), numberIn(celsius), numberIn(watts)];
    cards.set(sysfsSlot(slot), {
      ...(all !== undefined && left !== undefined && { memory: { total: bytes(all * MIB), free: bytes(left * MIB) } }),
      ...(used !== undefined && { utilisation: used / 100 }),
      ...(heat !== undefined && { celsius: heat }),
      ...(power !== undefined && { watts: power }),
    });
  }
  return cards;
}

/** A process on several cards is listed once for each; in containers and under WSL the list is empty or `[N/A]`. */
export function parseProcesses(stdout: string): Map<number, Bytes> {
  const processes = new Map<number, Bytes>();
  for (const line of stdout.split("\n")) {
    const [pid = "", memory = ""] = fieldsOf(line);
    const held = numberIn(memory);
    if (!/^\d+$/.test(pid) || held === undefined) continue;
    processes.set(Number(pid), bytes((processes.get(Number(pid)) ?? 0) + held * MIB));
  }
  return processes;
}

const fieldsOf = (line: string) => line.split(",").map((field) => field.trim());
/** Some versions write the unit although they were asked not to. */
const numberIn = (field: string) => (/^\d+(\.\d+)?( (MiB|W|%|C))?$/.test(field) ? Number.parseFloat(field) : undefined);

/** MIG slices of `nvidia-smi -L`: by the number of their card, their profile (`1g.10gb`) and id. */
export function parseMigSlices(stdout: string): { card: number; profile: string; uuid: string }[] {
  const slices: { card: number; profile: string; uuid: string }[] = [];
  let card = -1;
  for (const line of stdout.split("\n")) {
    card = Number(/^GPU (\d+):/.exec(line)?.[1] ?? card);
    const slice = /^\s+MIG\s+(\S+)\s+Device\s+\d+:\s+\(UUID: (MIG-[^)]+)\)/.exec(line);
    if (slice?.[1] && slice[2]) slices.push({ card, profile: slice[1], uuid: slice[2] });
  }
  return slices;
}
