// Looks at the devices every few seconds: live readings for people, metrics and the scheduler, and news of lost ones.
import type { Clock, Timers } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import type { DeviceId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import { type Bytes, bytes, milliseconds } from "../../core/units.ts";
import { sampleNvidia } from "./nvidia-readings.ts";
import { type BoxSample, type CardSample, type DeviceReading, type HardwareReadings, readDevice } from "./readings.ts";
import { readTicks, samplePciCard, type Ticks, utilisationBetween } from "./sysfs-readings.ts";

export type Monitor = {
  /** The latest readings, in the order of the devices; before the first look what was found at the start. */
  snapshot(): HardwareReadings;
  isLost(device: DeviceId): boolean;
  /** Resolves after the first look. */
  start(): Promise<void>;
  stop(): void;
  /** Looks now. */
  look(): Promise<void>;
};

export type MonitorParts = {
  devices: readonly Device[];
  clock: Clock;
  timers: Timers;
  log: Log;
  onLost(device: DeviceId): void;
  onBack(device: DeviceId): void;
  /** What processes hold on GPUs. */
  onProcesses(held: ReadonlyMap<number, Bytes>): void;
  /** For tests: another look at the box. */
  sample?: () => Promise<BoxSample>;
};

/** A lost card is noticed within this time, and the look itself. */
const PERIOD = milliseconds(3_000);
/** A driver that takes longer is as good as silent. */
const PATIENCE_MS = 2_500;

export function createMonitor(parts: MonitorParts): Monitor {
  const { devices, clock, timers, log, onLost, onBack, onProcesses } = parts;
  const sample = parts.sample ?? createSampler(devices);
  let readings: HardwareReadings = { at: clock.now(), devices: devices.map(foundAtStart) };
  let callOff = () => {};
  let isStopped = false;

  async function look(): Promise<void> {
    const seen = await sample();
    const before = new Map(readings.devices.map((reading) => [reading.id, reading]));
    const now = devices.map((device) => readDevice(device, { sample: seen, previous: before.get(device.id) }));
    readings = { at: clock.now(), devices: now };
    for (const { id, isLost } of now) {
      const wasLost = before.get(id)?.isLost ?? false;
      if (isLost && !wasLost) {
        log.error("device lost: it does not answer any more", { device: id });
        onLost(id);
      }
      if (!isLost && wasLost) {
        log.info("device is back", { device: id });
        onBack(id);
      }
    }
    if (seen.processes.size > 0) onProcesses(seen.processes);
  }
  async function lookAgain(): Promise<void> {
    await look().catch((error) => log.warn("the devices could not be looked at", { error: String(error) }));
    if (!isStopped) callOff = timers.after(PERIOD, () => void lookAgain());
  }

  return {
    snapshot: () => readings,
    isLost: (device) => readings.devices.find(({ id }) => id === device)?.isLost ?? false,
    look,
    start: lookAgain,
    stop() {
      isStopped = true;
      callOff();
    },
  };
}

const foundAtStart = ({ id, memory }: Device): DeviceReading => ({ id, memory, isLost: false, silentLooks: 0 });

/** `root` and `smiCommand` are for tests: another file tree, another program. */
export function createSampler(
  devices: readonly Device[],
  { root = "/", smiCommand = "nvidia-smi" } = {},
): () => Promise<BoxSample> {
  const hasNvidia = devices.some(({ kind }) => kind === "cuda");
  const total = devices.find(({ kind }) => kind === "cpu")?.memory.total;
  const slots = new Set(devices.flatMap(({ kind, slot }) => (kind === "webgpu" && slot !== undefined ? [slot] : [])));
  let ticks: Ticks | undefined;

  const sampleProcessor = async (): Promise<CardSample> => {
    const before = ticks;
    ticks = await readTicks(root);
    const utilisation = utilisationBetween(before, ticks);
    return {
      ...(total !== undefined && { memory: { total, free: bytes(Math.min(total, process.availableMemory())) } }),
      ...(utilisation !== undefined && { utilisation }),
    };
  };
  return async () => {
    const [nvidia, processor, ...others] = await Promise.all([
      hasNvidia ? sampleNvidia(smiCommand, PATIENCE_MS) : undefined,
      sampleProcessor(),
      ...[...slots].map(async (slot) => [slot, await samplePciCard(root, slot)] as const),
    ]);
    const cards = new Map(nvidia?.cards);
    for (const [slot, card] of others) if (card && !cards.has(slot)) cards.set(slot, card);
    return {
      ...{ cards, processor, processes: nvidia?.processes ?? new Map() },
      silent: new Set(nvidia?.isSilent ? ["nvidia"] : []),
    };
  };
}
