// The tiny Florence-2 of test/reference/vision, and what Python's transformers reads with it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TaskName } from "../../../src/engine/florence/tasks.ts";
import { openFolder } from "./load.ts";

const reference = join(import.meta.dir, "../../reference");
const folder = join(reference, "vision/florence");

export type Answer = {
  task: string;
  input: string;
  /** What is read beside the picture. */
  prompt: number[];
  /** Start token and what follows, by the model's own settings, greedily, and with other settings. */
  beams: number[];
  greedy: number[];
  free: number[];
};

export type Parsed =
  | string
  | {
      bboxes?: number[][];
      labels?: string[];
      bboxes_labels?: string[];
      quad_boxes?: number[][];
      polygons?: number[][][];
      polygons_labels?: string[];
    };

export const cases: {
  answers: (Answer & { text: string; parsed: Parsed })[];
  features: number[];
  size: [number, number];
  banned: string[];
  parsed: [string, string, Parsed][];
} = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));

const opened = { assets: undefined as ReturnType<typeof openFolder> | undefined };
export function openFlorence() {
  opened.assets ??= openFolder(folder);
  return opened.assets;
}

export const PICTURE = `data:image/png;base64,${readFileSync(join(reference, "families/picture.png")).toString("base64")}`;

/** Names here by Florence-2's own. */
export const NAMES: Record<string, TaskName> = {
  "<CAPTION>": "caption",
  "<DETAILED_CAPTION>": "detailed-caption",
  "<MORE_DETAILED_CAPTION>": "more-detailed-caption",
  "<OCR>": "ocr",
  "<OCR_WITH_REGION>": "ocr-with-region",
  "<OD>": "object-detection",
  "<DENSE_REGION_CAPTION>": "dense-region-caption",
  "<REGION_PROPOSAL>": "region-proposal",
  "<CAPTION_TO_PHRASE_GROUNDING>": "caption-to-phrase-grounding",
  "<OPEN_VOCABULARY_DETECTION>": "open-vocabulary-detection",
  "<REFERRING_EXPRESSION_SEGMENTATION>": "referring-expression-segmentation",
  "<REGION_TO_SEGMENTATION>": "region-to-segmentation",
  "<REGION_TO_CATEGORY>": "region-to-category",
  "<REGION_TO_DESCRIPTION>": "region-to-description",
  "<REGION_TO_OCR>": "region-to-ocr",
};
