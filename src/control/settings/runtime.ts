// Settings about the vendors' libraries that are installed beside the executable.
import { Type } from "../../core/schema.ts";
import { type SettingTree, setting } from "./setting.ts";

export const runtimeSettings = {
  source: setting({
    doc: "Folder or base URL (a mirror of your own) with the vendors' packages that `forecourt runtime install cuda` takes; `forecourt runtime packages cuda` lists them.",
    env: "FORECOURT_RUNTIME_SOURCE",
    schema: Type.String(),
    default: "",
  }),
  keptGraphsMb: setting({
    doc: "Disk space for graphs as onnxruntime has optimised them, in MiB, so that models load faster; 0 keeps none.",
    env: "FORECOURT_RUNTIME_KEPT_GRAPHS_MB",
    schema: Type.Integer({ minimum: 0 }),
    default: 2048,
  }),
} as const satisfies SettingTree;
