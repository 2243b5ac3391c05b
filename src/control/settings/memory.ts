// Settings about memory: what models may take of it, and which of them stay in it.
import { Type } from "../../core/schema.ts";
import { DEVICE, MOST_SECONDS, type SettingTree, setting } from "./setting.ts";

export const memorySettings = {
  budgetMb: setting({
    doc: "Memory that loaded models may take on the device, in MiB; 0 is 70 % of main memory or 90 % of a GPU's.",
    env: "FORECOURT_MEMORY_BUDGET_MB",
    schema: Type.Integer({ minimum: 0 }),
    default: 0,
  }),
  reserve: setting({
    doc: "Memory of a device that models leave free for others, in MiB, as DEVICE=MIB, e.g. cuda:0=2048; instead of the share that is left otherwise. Counts where budget_mb is 0.",
    env: "FORECOURT_MEMORY_RESERVE",
    schema: Type.Array(Type.String({ pattern: `^${DEVICE}=\\d+$`, expected: "a device and MiB, such as cuda:0=2048" })),
    default: [],
  }),
  pinned: setting({
    doc: "Models that are loaded at the start and never unloaded to make room: patterns of ids (owner/*) or category:NAME.",
    env: "FORECOURT_MEMORY_PINNED",
    schema: Type.Array(Type.String({ minLength: 1 })),
    default: [],
  }),
  warm: setting({
    doc: "Models that are loaded at the start while there is room, the most popular of earlier runs first; patterns as in pinned.",
    env: "FORECOURT_MEMORY_WARM",
    schema: Type.Array(Type.String({ minLength: 1 })),
    default: [],
  }),
  reload: setting({
    doc: "Popular models that had to make room are loaded again in quiet moments, in place of idle ones that are asked for less; at most a fifth of a device's time. With false, and where idle_unload_seconds is set, only a request loads a model.",
    env: "FORECOURT_MEMORY_RELOAD",
    schema: Type.Boolean(),
    default: true,
  }),
  spareRunners: setting({
    doc: "Runner processes that are started ahead on each device, so that loading a model does not wait for one; each takes some 100 MB of main memory.",
    env: "FORECOURT_MEMORY_SPARE_RUNNERS",
    schema: Type.Integer({ minimum: 0, maximum: 16 }),
    default: 1,
  }),
  lineSeconds: setting({
    doc: "Requests are refused when no memory came free for their model within this time.",
    env: "FORECOURT_MEMORY_LINE_SECONDS",
    schema: Type.Number({ exclusiveMinimum: 0, maximum: MOST_SECONDS }),
    default: 900,
  }),
  idleUnloadSeconds: setting({
    doc: "A model without work for this long is unloaded; 0 keeps it until another needs its memory.",
    env: "FORECOURT_MEMORY_IDLE_UNLOAD_SECONDS",
    schema: Type.Number({ minimum: 0, maximum: MOST_SECONDS }),
    default: 0,
  }),
} as const satisfies SettingTree;
