// The devices of this box that compute what they should: found, and each card's best way tried by a real inference.
import { join } from "node:path";
import { version } from "../../package.json" with { type: "json" };
import type { Device } from "../core/device.ts";
import { toFailure } from "../core/errors.ts";
import { cardOf } from "./choose-device.ts";
import { tryDevice } from "./fleet/try-device.ts";
import { type DeviceProblem, detect, type Hardware } from "./hardware/detect.ts";
import { openTrialMemory, type TrialMemory, type TrialResult } from "./hardware/trial-memory.ts";
import { installedCuda, ONNXRUNTIME } from "./runtimes/installed.ts";
import { type Settings, vulkanManifests } from "./settings.ts";

type Search = {
  settings: Pick<Settings, "data" | "device">;
  /**
   * `kept`: tried where nothing is remembered, and remembered. `made`: the same, and what failed is tried again, but
   * nothing is written. `remembered`: nothing is tried; a device that never was counts as working.
   */
  trials?: "kept" | "made" | "remembered";
  attempt?: (device: Device) => Promise<number>;
  now?: number;
};

/**
 * What `auto` or the wanted kind could use is tried: of a card the next best way only when the better one failed. What
 * failed is a problem and no longer a device. Results are remembered for the drivers and libraries that gave them.
 */
export async function findDevices(search: Search): Promise<Hardware> {
  const libraries = installedCuda(search.settings.data);
  const provided = [...(libraries === undefined ? [] : (["cuda"] as const)), "webgpu" as const, "cpu" as const];
  const found = await detect({ provided, vulkanManifests: vulkanManifests() });
  return tryAll(found, search);
}

/** For tests: of hardware that was found already. */
export async function tryAll(found: Hardware, search: Search): Promise<Hardware> {
  const { data, device: wanted } = search.settings;
  const { trials: mode = "kept", now = Date.now() } = search;
  const libraries = installedCuda(data);
  const attempt = search.attempt ?? ((device) => tryDevice({ device, runtime: join(data, "runtime"), libraries }));
  const isCandidate = ({ kind, isSoftware }: Device) =>
    kind !== "cpu" && (wanted === "auto" ? !isSoftware : kind === wanted);
  const cards = Map.groupBy(found.devices.filter(isCandidate), cardOf);
  if (cards.size === 0) return { ...found, trials: [] };
  const memory = await openTrialMemory({ data, versions: [version, ONNXRUNTIME, String(libraries)], now });
  const tried = await Promise.all([...cards.values()].map((ways) => tryCard(ways, { memory, now, attempt, mode })));
  const failures = tried.flatMap(({ failed }) => failed);
  if (mode === "kept") await memory.save();
  return {
    devices: found.devices.filter(({ id }) => !failures.some(({ device }) => device.id === id)),
    problems: [...found.problems, ...failures.map(problemOf)],
    trials: tried.flatMap(({ passed }) => passed),
  };
}

type Failed = { device: Device; reason: string };
type Trying = {
  memory: TrialMemory;
  now: number;
  attempt: (device: Device) => Promise<number>;
  mode: Required<Search>["trials"];
};

/** In order, until one works. */
async function tryCard(ways: readonly Device[], { memory, now, attempt, mode }: Trying) {
  const failed: Failed[] = [];
  for (const device of ways) {
    const recalled = memory.recall(device);
    const known = mode === "made" && recalled?.reason !== undefined ? undefined : recalled;
    if (!known && mode === "remembered") break;
    const result =
      known ??
      (await attempt(device).then<TrialResult, TrialResult>(
        (ms) => ({ at: now, ms }),
        (error: unknown) => ({ at: now, ms: 0, reason: toFailure(error).message }),
      ));
    if (!known) memory.note(device, result);
    if (result.reason === undefined)
      return { failed, passed: [{ device: device.id, ms: result.ms, isRemembered: known !== undefined }] };
    failed.push({ device, reason: result.reason });
  }
  return { failed, passed: [] };
}

const problemOf = ({ device, reason }: Failed): DeviceProblem => ({
  name: `${device.name} as ${device.id}`,
  reason: `the test inference failed: ${reason}`,
  remedy:
    device.kind === "cuda"
      ? "update NVIDIA's driver (CUDA 12 needs 525 or newer), or run `forecourt runtime install cuda` again; it is tried again in an hour"
      : "update the Vulkan driver; it is tried again in an hour",
});
