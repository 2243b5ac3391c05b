// The tiny vision-language models of test/reference/vision-language, and what Python's transformers says with them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chat } from "../../../src/engine/pipelines/chat.ts";
import { openFolder, runOnce } from "./load.ts";

export const SEEING = ["smolvlm", "qwen2-vl"] as const;
export type Seeing = (typeof SEEING)[number];

type Part = { type: "text"; text: string } | { type: "image"; image: string };
type Message = { role: string; content: Part[] };
export type Seen = {
  messages: Message[];
  detail: "auto" | "low";
  ids: number[];
  new: number[];
  text: string;
  logits: number[];
  features?: number[];
};

const reference = join(import.meta.dir, "../../reference");
export const seeingFolder = (family: Seeing) => join(reference, "vision-language", family);

export const seenBy = (family: Seeing): Seen[] =>
  JSON.parse(readFileSync(join(seeingFolder(family), "cases.json"), "utf8")).answers;

/** [height, width, most pixels, height and width that Python's smart_resize gives]; edges of 28 pixels. */
export const qwenSizes: [number, number, number, number, number][] = JSON.parse(
  readFileSync(join(seeingFolder("qwen2-vl"), "cases.json"), "utf8"),
).sizes;

export const picture = (name: string) =>
  `data:image/png;base64,${readFileSync(join(reference, name)).toString("base64")}`;

/** As OpenAI's clients write them. */
export const openAiMessages = ({ messages, detail }: Pick<Seen, "messages" | "detail">) =>
  messages.map(({ role, content }) => ({
    role,
    content: content.map((part) =>
      part.type === "text" ? part : { type: "image_url", image_url: { url: picture(part.image), detail } },
    ),
  }));

export const openSeeing = (family: Seeing) => openFolder(seeingFolder(family));

type Asked = { signal?: AbortSignal; wantsPartials?: boolean; assets?: ReturnType<typeof openFolder> };
export const askSeeing = (family: Seeing, input: Record<string, unknown>, { assets, ...options }: Asked = {}) =>
  runOnce(chat, { assets: assets ?? openSeeing(family), input: { temperature: 0, ...input }, ...options });
