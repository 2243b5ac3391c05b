// A Hub repository as `models add` sees it, and what it made of it.

import type { Draft } from "../../../../src/control/catalog/add/recognise.ts";
import type { Repository } from "../../../../src/control/catalog/add/repository.ts";
import type { DeviceKind } from "../../../../src/core/device.ts";
import type { Dtype } from "../../../../src/engine/dtypes.ts";

const MB = 1e6;

/** `tree`: megabytes by path. */
export const repositoryOf = (
  repo: string,
  config: Record<string, unknown>,
  tree: Record<string, number>,
): Repository => ({
  repo,
  commit: "c".repeat(40),
  licence: "mit",
  files: Object.entries(tree).map(([path, size]) => ({ path, bytes: Math.round(size * MB) })),
  configs: { "config.json": config },
});

/** Wished for on all devices. */
export const everywhere = (dtype: Dtype) => ({ cpu: dtype, webgpu: dtype, cuda: dtype });

type Parts = { graphs?: Record<string, string>; memory: { weights: number; working: number } };

/** What a draft comes to on one kind of device. */
export function draftOn(draft: Draft, kind: DeviceKind = "cpu") {
  const devices = draft.model.devices as Record<DeviceKind, string> | undefined;
  const name = devices?.[kind] ?? "";
  const { graphs, memory } = { ...(draft.model as unknown as Parts), ...draft.model.variants?.[name] };
  return {
    dtype: devices ? name : draft.model.dtype,
    graphs,
    memory,
    files: [...draft.files, ...(draft.variantFiles[name] ?? [])],
  };
}
