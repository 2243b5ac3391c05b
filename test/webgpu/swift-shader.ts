// SwiftShader, a Vulkan driver in software that Debian's chromium carries: WebGPU where there is no GPU.
import { existsSync } from "node:fs";

const DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const LOADERS = ["/usr/lib/x86_64-linux-gnu/libvulkan.so.1", "/usr/lib/aarch64-linux-gnu/libvulkan.so.1"];

/** Whether this machine has it (test/run.sh brings it). */
export const hasSwiftShader = existsSync(DRIVER) && LOADERS.some((path) => existsSync(path));

/** Environment of a process that is to see this driver only, whatever the machine has. */
export const withDriver = (manifest = DRIVER) => ({ VK_ICD_FILENAMES: manifest, VK_DRIVER_FILES: manifest });
