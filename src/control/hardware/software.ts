// A Vulkan driver in software that the operator named: a WebGPU device to try things with, never one that `auto` takes. Pure.
import { bytes } from "../../core/units.ts";
import type { Way } from "./card.ts";
import type { Evidence } from "./evidence.ts";

/** SwiftShader computes what onnxruntime asks for; Mesa's lavapipe is refused by it (Debian 12). */
const SWIFTSHADER = /^libvk_swiftshader/;

export function judgeSoftware({ vulkanLoader, vulkanDrivers, cpu }: Evidence): Way[] {
  const vulkan = vulkanDrivers.find(({ library }) => SWIFTSHADER.test(library));
  if (!vulkan || vulkanLoader === undefined) return [];
  const memory = { total: bytes(cpu.totalBytes), free: bytes(cpu.freeBytes) };
  return [{ kind: "webgpu", name: "SwiftShader (Vulkan in software)", memory, vulkan, isSoftware: true }];
}
