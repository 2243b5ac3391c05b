// What is in a picture, with Florence-2: captions, text, boxes and outlines of things.
import { type Assets, definePipeline, type Pixels, type Task } from "../../core/pipeline.ts";
import { loadFlorence } from "../florence/florence.ts";
import { type ReadImageInput, readImageInput, readImageOutput } from "../florence/florence-fields.ts";
import { type Places, placesOf } from "../florence/places.ts";
import { questionOf } from "../florence/question.ts";
import { factsOf } from "../florence/tasks.ts";
import { readImageUrl, saverOf } from "../media/picture.ts";
import { createPause, type Pause } from "../pause.ts";
import { annotate, boxOutline, type Outline } from "../vision/annotate.ts";

export const readImage = definePipeline({
  summary: "Tells what is in a picture: captions, text, boxes and outlines of things.",
  counts: ["images", "output_tokens"],
  input: readImageInput,
  output: readImageOutput,
  estimate: ({ max_tokens }) => ({ images: 1, output_tokens: max_tokens }),
  async load(assets) {
    const model = await loadFlorence(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const { max_tokens: most, num_beams: beams } = task.input;
        const question = questionOf(task.input);
        const pixels = await readImageUrl(task, assets.codec);
        const reading = model.read({ pixels, question, beams, most, signal });
        let step = await reading.next();
        for (; !step.done; step = await reading.next())
          if (step.value % STEPS_TOLD === 1)
            yield { index, step: { type: "progress" as const, at: step.value, of: most } };
        const { text, tokens } = step.value;
        const value = await answer({ task, assets, pixels, text, pause: createPause(signal) });
        yield { index, step: { type: "output" as const, value, units: { images: 1, output_tokens: tokens } } };
      }
    };
  },
});

/** A progress step is sent for every so many tokens. */
const STEPS_TOLD = 16;

type Read = { task: Task<ReadImageInput>; assets: Assets; pixels: Pixels; text: string; pause: Pause };

async function answer({ task, assets: { codec }, pixels, text, pause }: Read) {
  const { answers } = factsOf(task.input.task);
  if (answers === "text") return { results: text.trim() };
  const results = placesOf(text, answers, pixels);
  const image = await saverOf(task, codec)(await annotate(pixels, outlinesOf(results), pause), "image");
  return { results, image };
}

function outlinesOf({ bboxes = [], quad_boxes = [], polygons = [] }: Places): Outline[] {
  const quads = quad_boxes.map(({ x1, y1, x2, y2, x3, y3, x4, y4, label }) => ({
    label,
    points: [
      { x: x1, y: y1 },
      { x: x2, y: y2 },
      { x: x3, y: y3 },
      { x: x4, y: y4 },
    ],
  }));
  return [...bboxes.map(boxOutline), ...quads, ...polygons.map((each) => ({ ...each, isFilled: true }))];
}
