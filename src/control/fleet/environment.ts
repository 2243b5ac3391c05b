// What a runner's environment says of its device: it sees that one and no other. Pure.
import type { Device } from "../../core/device.ts";

/**
 * CUDA is told the card by its own name (a slice of one has no other); Vulkan's loader the one driver. `libraries`: the
 * folder of CUDA's, which native code finds by the linker's path, as they lie beside nothing that names them.
 */
export function environmentOf(
  { kind, index, uuid, vulkan }: Device,
  libraries: string | undefined,
): Record<string, string> {
  switch (kind) {
    case "cuda":
      return {
        CUDA_DEVICE_ORDER: "PCI_BUS_ID",
        CUDA_VISIBLE_DEVICES: uuid ?? String(index),
        ...(libraries !== undefined && { LD_LIBRARY_PATH: libraries }),
      };
    case "webgpu":
      // The second name is the loader's older one (before 1.3.207).
      return { ...NO_CUDA, ...(vulkan && { VK_DRIVER_FILES: vulkan.manifest, VK_ICD_FILENAMES: vulkan.manifest }) };
    case "cpu":
      return NO_CUDA;
  }
}

const NO_CUDA = { CUDA_VISIBLE_DEVICES: "" };
