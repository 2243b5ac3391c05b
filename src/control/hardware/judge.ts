// From evidence to a verdict on every card: usable as which devices, or idle for which reason. Pure.
import type { Device, DeviceKind } from "../../core/device.ts";
import { asId, type DeviceId } from "../../core/ids.ts";
import { bytes } from "../../core/units.ts";
import type { Hardware, Obstacle, Way } from "./card.ts";
import type { Evidence } from "./evidence.ts";
import { judgeNvidia } from "./nvidia.ts";
import { judgeOpenDrivers } from "./open-drivers.ts";
import { judgeSoftware } from "./software.ts";

/** Best devices first, the CPU last; a card whose ways all lack a provider is a problem, as is one with an obstacle. */
export function judge(evidence: Evidence, provided: readonly DeviceKind[]): Hardware {
  const cards = [...judgeNvidia(evidence), ...judgeOpenDrivers(evidence)];
  const isProvided = ({ kind }: Way) => provided.includes(kind);
  const ways = [
    ...cards.flatMap((card) => card.ways.filter(isProvided)),
    ...judgeSoftware(evidence).filter(isProvided),
  ];
  return {
    devices: [...numbered(ways), cpuDevice(evidence)],
    problems: cards.flatMap((card) => {
      const reason = card.obstacle ?? withoutProvider(card.ways, isProvided);
      return reason ? [{ name: card.name, ...reason }] : [];
    }),
  };
}

/** Undefined when the best way is provided. */
function withoutProvider([best, ...others]: readonly Way[], isProvided: (way: Way) => boolean): Obstacle | undefined {
  if (!best || isProvided(best)) return undefined;
  const instead = others.find(isProvided);
  const used = instead ? `it is used through ${providerName[instead.kind]}, which is slower` : "it stays idle";
  return best.kind === "cuda"
    ? {
        reason: `its driver works, but CUDA's libraries are not installed: ${used}`,
        remedy: "`forecourt runtime install cuda`, then start the server again",
      }
    : {
        reason: `its driver works, but there is no ${providerName[best.kind]} provider for this machine: ${used}`,
        remedy: "nothing to run: models use the CPU",
      };
}

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
