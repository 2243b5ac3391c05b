// What Florence-2 can be asked: its tasks by fal's names, the words that it was trained on, and what their answers hold.

export type AnswerKind = "text" | "boxes" | "unnamed-boxes" | "phrases" | "quads" | "polygons" | "boxes-or-polygons";

type TaskFacts = {
  /** With {input} where something is given. */
  prompt: string;
  needs?: "text_input" | "region";
  answers: AnswerKind;
};

/** Prompts are those of Florence2Processor; the names are the last parts of fal's endpoints. */
const TASKS = {
  caption: { prompt: "What does the image describe?", answers: "text" },
  "detailed-caption": { prompt: "Describe in detail what is shown in the image.", answers: "text" },
  "more-detailed-caption": { prompt: "Describe with a paragraph what is shown in the image.", answers: "text" },
  ocr: { prompt: "What is the text in the image?", answers: "text" },
  "ocr-with-region": { prompt: "What is the text in the image, with regions?", answers: "quads" },
  "object-detection": { prompt: "Locate the objects with category name in the image.", answers: "boxes" },
  "dense-region-caption": {
    prompt: "Locate the objects in the image, with their descriptions.",
    answers: "boxes",
  },
  "region-proposal": { prompt: "Locate the region proposals in the image.", answers: "unnamed-boxes" },
  "caption-to-phrase-grounding": {
    prompt: "Locate the phrases in the caption: {input}",
    needs: "text_input",
    answers: "phrases",
  },
  "open-vocabulary-detection": {
    prompt: "Locate {input} in the image.",
    needs: "text_input",
    answers: "boxes-or-polygons",
  },
  "referring-expression-segmentation": {
    prompt: "Locate {input} in the image with mask",
    needs: "text_input",
    answers: "polygons",
  },
  "region-to-segmentation": {
    prompt: "What is the polygon mask of region {input}",
    needs: "region",
    answers: "polygons",
  },
  "region-to-category": { prompt: "What is the region {input}?", needs: "region", answers: "text" },
  "region-to-description": { prompt: "What does the region {input} describe?", needs: "region", answers: "text" },
  "region-to-ocr": { prompt: "What text is in the region {input}?", needs: "region", answers: "text" },
} as const satisfies Record<string, TaskFacts>;

export type TaskName = keyof typeof TASKS;
// The keys of a literal.
export const taskNames = Object.keys(TASKS) as TaskName[];

export const factsOf = (task: TaskName): TaskFacts => TASKS[task];
