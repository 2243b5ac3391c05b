// From evidence to a verdict on every card: usable as which devices, or idle for which reason. Pure.
import type { Device, DeviceKind } from "../../core/device.ts";
import { asId, type DeviceId } from "../../core/ids.ts";
import { bytes } from "../../core/units.ts";
import type { Hardware, Obstacle, Way } from "./card.ts";
import type { Evidence } from "./evidence.ts";
import { judgeNvidia } from "./nvidia.ts";
import { judgeOpenDrivers } from "./open-drivers.ts";

/** Best devices first, the CPU last; a card whose ways all lack a provider is a problem, as is one with an obstacle. */
export function judge(evidence: Evidence, provided: readonly DeviceKind[]): Hardware {
  const cards = [...judgeNvidia(evidence), ...judgeOpenDrivers(evidence)];
  const isProvided = ({ kind }: Way) => provided.includes(kind);
  const idle = cards.filter(({ ways }) => !ways.some(isProvided));
  return {
    devices: [...numbered(cards.flatMap(({ ways }) => ways.filter(isProvided))), cpuDevice(evidence)],
    problems: idle.map(({ name, ways, obstacle }) => ({ name, ...(obstacle ?? withoutProvider(ways)) })),
  };
}

const withoutProvider = (ways: Way[]): Obstacle => ({
  reason: `its driver works, but this version of Forecourt has no ${ways.map(({ kind }) => providerName[kind]).join(" or ")} provider yet`,
  remedy: "nothing to run: models use the CPU until a version with that provider is installed",
});

const providerName: Record<DeviceKind, string> = { cpu: "CPU", cuda: "CUDA", webgpu: "WebGPU" };

function numbered(ways: Way[]): Device[] {
  const counts = new Map<DeviceKind, number>();
  return ways.map((way) => {
    const index = counts.get(way.kind) ?? 0;
    counts.set(way.kind, index + 1);
    return { ...way, id: asId<DeviceId>(`${way.kind}:${index}`), index };
  });
}

const cpuDevice = ({ cpu }: Evidence): Device => ({
  id: asId<DeviceId>("cpu"),
  kind: "cpu",
  index: 0,
  name: `${cpu.name} (${cpu.threads} ${cpu.threads === 1 ? "thread" : "threads"})`,
  memory: { total: bytes(cpu.totalBytes), free: bytes(cpu.freeBytes) },
});
