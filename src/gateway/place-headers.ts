// Headers of an answer: on which device it was computed, and in which numbers.
import type { Catalog } from "../control/catalog/catalog.ts";
import { dtypeOnDevice } from "../engine/variants.ts";

/** The dtype is the one that the model's file has for the device's kind; absent where it tells none. */
export function placeHeaders(
  { model, device }: { model: string; device: string },
  catalog: Pick<Catalog, "find">,
): Record<string, string> {
  const entry = catalog.find(model);
  const dtype = entry && dtypeOnDevice(entry.model, device);
  return { "x-forecourt-device": device, ...(dtype !== undefined && { "x-forecourt-dtype": dtype }) };
}
