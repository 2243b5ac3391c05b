// Asks the NVIDIA driver's own tool which cards work, and reads its answer.
import { type Bytes, bytes, MIB } from "../../core/units.ts";

/** What became of the call: an answer, a refusal, or no tool or no end. */
export type SmiAnswer =
  | { type: "answered"; stdout: string }
  | { type: "failed"; exitCode: number; output: string }
  | { type: "missing" }
  | { type: "timed-out"; afterMs: number };

export type NvidiaCard = {
  index: number;
  /** PCI slot as /sys names it, e.g. `0000:01:00.0`. */
  slot: string;
  name: string;
  memory: { total: Bytes; free: Bytes };
  driver: string;
  /** e.g. `8.9`; absent where the driver is too old to tell. */
  computeCapability?: string;
  /** e.g. `GPU-5f9c...`. */
  uuid?: string;
};

const FIELDS = ["index", "pci.bus_id", "name", "memory.total", "memory.free", "driver_version", "compute_cap", "uuid"];
/** Those that every driver tells. */
const LEAST_FIELDS = 6;
const CARDS_QUERY = `--query-gpu=${FIELDS.join(",")}`;
/** A first call without the persistence daemon initialises the cards, which takes seconds on boxes with eight of them. */
const TIMEOUT_MS = 5_000;

export const askNvidiaSmi = (command: string, { timeoutMs = TIMEOUT_MS, query = CARDS_QUERY } = {}) =>
  ask([command, query, "--format=csv,noheader,nounits"], timeoutMs);

/** The cards and their slices, in words. */
export const listNvidia = (command: string) => ask([command, "-L"], TIMEOUT_MS);

/** A process that hangs inside the driver can't even be killed, so the wait itself is what ends. */
async function ask(words: readonly [string, ...string[]], timeoutMs: number): Promise<SmiAnswer> {
  if (Bun.which(words[0]) === null) return { type: "missing" };
  const child = Bun.spawn([...words], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const { promise: timeout, resolve } = Promise.withResolvers<SmiAnswer>();
  const timer = setTimeout(() => resolve({ type: "timed-out", afterMs: timeoutMs }), timeoutMs);
  const answer = await Promise.race([answerOf(child), timeout]);
  clearTimeout(timer);
  if (answer.type === "timed-out") {
    child.kill("SIGKILL");
    child.unref();
  }
  return answer;
}

async function answerOf(child: Bun.ReadableSubprocess): Promise<SmiAnswer> {
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return exitCode === 0
    ? { type: "answered", stdout }
    : { type: "failed", exitCode, output: `${stdout}\n${stderr}`.trim() };
}

/** Cards with no readable memory (`[N/A]` on shared-memory systems) count as having none of their own. */
export function parseNvidiaSmi(stdout: string): NvidiaCard[] {
  return stdout
    .split("\n")
    .map((line) => line.split(",").map((field) => field.trim()))
    .filter((fields) => fields.length >= LEAST_FIELDS && /^\d+$/.test(fields[0] ?? ""))
    .map(([index = "", slot = "", name = "", total = "", free = "", driver = "", capability = "", uuid = ""]) => ({
      index: Number(index),
      slot: sysfsSlot(slot),
      name,
      memory: { total: mebibytes(total), free: mebibytes(free) },
      driver,
      ...(/^\d+\.\d+$/.test(capability) && { computeCapability: capability }),
      ...(uuid.startsWith("GPU-") && { uuid }),
    }));
}

/** nvidia-smi writes the domain with eight digits (`00000000:01:00.0`), the kernel with four. */
export const sysfsSlot = (slot: string) => slot.toLowerCase().replace(/^0{4}(?=[0-9a-f]{4}:)/, "");

const mebibytes = (field: string) => bytes(/^\d+$/.test(field) ? Number(field) * MIB : 0);
