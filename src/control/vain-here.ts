// All that the settings and the operator's model files ask for in vain on this box: for the start, and for doctor.
import type { Device } from "../core/device.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { vainParts } from "./catalog/vain-parts.ts";
import type { Settings } from "./settings.ts";
import { tooLargeHere } from "./too-large.ts";
import { type VainSetting, vainSettings } from "./vain-settings.ts";

type Box = { settings: Settings; catalog: Pick<Catalog, "find" | "list">; devices: readonly Device[] };

export const vainHere = (box: Box): VainSetting[] => [
  ...vainSettings(box),
  ...vainParts({ ...box.settings, catalog: box.catalog }),
  ...tooLargeHere(box),
];
