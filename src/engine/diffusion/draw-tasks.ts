// Runs the jobs of a diffusion pipeline, one after the other: draws, tells the progress, answers as fal does.
import type { Assets, Run, Task } from "../../core/pipeline.ts";
import type { Static } from "../../core/schema.ts";
import { answerWith, type drawnOutput, randomSeed, unitsOf } from "../media/drawn.ts";
import { samplerChoices } from "../samplers/choices.ts";
import { createRandom } from "../tensor/random.ts";
import type { DiffusionModel, GivenPicture } from "./diffusion-model.ts";
import type { DrawingInput } from "./drawing-fields.ts";
import type { Size } from "./image-size.ts";

type Plan = { size: Size; given?: GivenPicture };

type Drawing<In> = {
  model: DiffusionModel;
  codec: Assets["codec"];
  /** What a pipeline adds to the fields that all share. */
  plan(task: Task<In>): Plan | Promise<Plan>;
};

export function drawTasks<In extends DrawingInput>({
  model,
  codec,
  plan,
}: Drawing<In>): Run<In, Static<typeof drawnOutput>> {
  return async function* (tasks, signal) {
    for (const [index, task] of tasks.entries()) {
      const started = performance.now();
      const seed = task.input.seed ?? randomSeed();
      const drawing = draw({ model, task, seed, signal, plan: await plan(task) });
      let steps = 0;
      let next = await drawing.next();
      for (; !next.done; next = await drawing.next()) {
        const { at, of } = next.value;
        steps++;
        yield { index, step: { type: "progress", at, of } };
      }
      const pictures = next.value;
      const seconds = (performance.now() - started) / 1000;
      const value = await answerWith({ task, codec, pictures, seed, seconds });
      const paid = Math.min(steps, task.input.num_inference_steps);
      yield { index, step: { type: "output", value, units: unitsOf(pictures, paid) } };
    }
  };
}

type Draw = { model: DiffusionModel; task: Task<DrawingInput>; seed: number; signal: AbortSignal; plan: Plan };

async function* draw({ model, task, seed, signal, plan }: Draw): ReturnType<DiffusionModel["draw"]> {
  const { prompt, negative_prompt, scheduler, guidance_scale: scale, clip_skip: clipSkip, ...rest } = task.input;
  const { num_images: count, num_inference_steps: steps } = rest;
  const { size, given } = plan;
  task.log(`drawing ${count} of ${size.width}x${size.height} in ${steps} steps, seed ${seed}`);
  const condition = await model.encode({ text: prompt, isNegative: false, clipSkip });
  if (condition.dropped > 0) task.log(`the prompt is too long: its last ${condition.dropped} tokens are not read`);
  const isGuided = model.guidance === "two-prompts" && scale > 1;
  return yield* model.draw({
    prompt: condition,
    ...(isGuided && { negative: await model.encode({ text: negative_prompt, isNegative: true, clipSkip }) }),
    scale,
    size,
    count,
    steps,
    random: createRandom(seed),
    ...(scheduler && { scheduler: samplerChoices[scheduler] }),
    ...(given && { given }),
    signal,
  });
}
