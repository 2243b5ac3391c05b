// Whether what runs a model as it was can run it as it is now. Pure.
import type { Model } from "../../engine/model.ts";

/** `runner`: what a loaded model was made from. All else is looked up with each request. */
const USED_BY = {
  ...{ id: "server", aliases: "server", endpoints: "server", title: "server", description: "server" },
  ...{ category: "server", licence: "server", tags: "server", examples: "server", price: "server" },
  ...{ defaults: "server", bounds: "server", realtime: "server", moderation: "server", memory: "server" },
  ...{ residency: "server", warm: "server", warmup: "server" },
  ...{ pipeline: "runner", source: "runner", beside: "runner", graphs: "runner", dtype: "runner" },
  ...{ variants: "runner", devices: "runner", onnx: "runner", embed: "runner", similarity: "runner" },
  ...{ execution: "runner", limits: "runner" },
} as const satisfies Record<keyof Model, "runner" | "server">;

const RUNNER_FIELDS = (Object.keys(USED_BY) as (keyof Model)[]).filter((field) => USED_BY[field] === "runner");

/** Of limits, only how many jobs it takes at a time was said to the process. */
const loadedFrom = (model: Model) =>
  RUNNER_FIELDS.map((field) => (field === "limits" ? model.limits.maxBatch : model[field]));

export const runsOtherwise = (before: Model, now: Model): boolean =>
  !Bun.deepEquals(loadedFrom(before), loadedFrom(now));
