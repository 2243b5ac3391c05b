// How the server is, in one line for `systemctl status`.
import type { Appliance } from "../../control/appliance.ts";
import type { DeviceId, ModelId } from "../../core/ids.ts";

export type ServerFacts = {
  /** That can be asked for. */
  models: number;
  loaded: number;
  device: DeviceId;
  lost: readonly DeviceId[];
  /** Models whose last runner failed. */
  failed: readonly ModelId[];
  /** Model files that cannot be used. */
  wrongFiles: number;
  /** Bytes; of zero while it is not known what is wanted. */
  downloads: readonly { model: string; at: number; of: number }[];
};

export const statusOf = ({ catalog, fleet, device, monitor, supply }: StatusSources): string =>
  statusLine({
    models: catalog.list().length,
    loaded: new Set(fleet.runners().flatMap(({ model, state }) => (LOADED.has(state) ? [model] : []))).size,
    device: device.id,
    lost: monitor.snapshot().devices.flatMap(({ id, isLost }) => (isLost ? [id] : [])),
    wrongFiles: catalog.wrong().length,
    failed: [...fleet.backOffs().keys()],
    downloads: supply.downloads(),
  });

type StatusSources = Pick<Appliance, "catalog" | "fleet" | "device" | "monitor" | "supply">;

const LOADED: ReadonlySet<string> = new Set(["ready", "busy"]);

export function statusLine({ models, loaded, device, lost, failed, wrongFiles, downloads }: ServerFacts): string {
  const ready = `${models} models, ${loaded} loaded, best device ${device}`;
  const troubles = [
    ...lost.map((id) => `${id} is lost`),
    ...(wrongFiles > 0 ? [`wrong model files: ${wrongFiles}`] : []),
    ...(failed.length > 0 ? [`the last runner of ${some(failed)} failed`] : []),
  ];
  return [
    troubles.length > 0 ? `Degraded: ${troubles.join(", ")}; ${ready}` : `Ready: ${ready}`,
    ...(downloads.length > 0 ? [`downloading ${some(downloads.map(download))}`] : []),
  ].join("; ");
}

const download = ({ model, at, of }: ServerFacts["downloads"][number]) =>
  of > 0 ? `${model} (${Math.floor((100 * at) / of)} %)` : model;

/** A line is to be read at a glance. */
const SOME = 3;
const some = (names: readonly string[]) =>
  [names.slice(0, SOME).join(", "), ...(names.length > SOME ? [`${names.length - SOME} more`] : [])].join(" and ");
