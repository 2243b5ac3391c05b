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
} as const satisfies SettingTree;
