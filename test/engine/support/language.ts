// The tiny language models of test/reference/language, and what Python's transformers says of them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ChatPartial } from "../../../src/engine/generation/chat-fields.ts";
import { chat } from "../../../src/engine/pipelines/chat.ts";
import { openFolder, runOnce } from "./load.ts";

export const FAMILIES = [
  "grouped-attention",
  "llama",
  "qwen2",
  "qwen3",
  "gemma2",
  "gemma3",
  "phi3",
  "phi",
  "without-positions",
] as const;
export type Family = (typeof FAMILIES)[number];

type Message = {
  role: string;
  content: string | null;
  tool_calls?: { function: { name: string; arguments: unknown } }[];
};
export type Cases = {
  renderings: {
    name: string;
    messages: Message[];
    tools: unknown[] | null;
    text?: string;
    ids: number[];
    error?: string;
  }[];
  answers: {
    messages?: Message[];
    prompt?: string;
    raw?: true;
    ids: number[];
    new: number[];
    text: string;
    logits: number[];
  }[];
  texts: { text: string; ids: number[]; bare: number[] }[];
  decoded: { ids: number[]; text: string }[];
};

const folderOf = (family: Family) => join(import.meta.dir, "../../reference/language", family);
export const casesOf = (family: Family): Cases =>
  JSON.parse(readFileSync(join(folderOf(family), "cases.json"), "utf8"));

const opened = new Map<Family, ReturnType<typeof openFolder>>();
/** Its graph is opened once for all tests of a file. */
export function openFamily(family: Family) {
  const assets = opened.get(family) ?? openFolder(folderOf(family));
  opened.set(family, assets);
  return assets;
}

type Asked = { signal?: AbortSignal; wantsPartials?: boolean };
export const ask = (family: Family, input: Record<string, unknown>, options: Asked = {}) =>
  runOnce(chat, { assets: openFamily(family), input: { temperature: 0, ...input }, ...options });

export const partialsOf = (steps: readonly { type: string; value?: unknown }[]) =>
  steps.filter(({ type }) => type === "partial").map(({ value }) => value as ChatPartial);
