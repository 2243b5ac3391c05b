// Runs the jobs of a diffusion pipeline, one after the other: draws, tells the progress, answers as fal does.
import type { Assets, Pixels, Run, Task } from "../../core/pipeline.ts";
import type { Static } from "../../core/schema.ts";
import { answerWith, type drawnOutput, randomSeed, unitsOf } from "../media/drawn.ts";
import { samplerChoices } from "../samplers/choices.ts";
import { createRandom } from "../tensor/random.ts";
import { resize } from "../tensor/resize.ts";
import type { DiffusionModel, Drawing, Drawn, GivenPicture } from "./diffusion-model.ts";
import type { DrawingInput } from "./drawing-fields.ts";
import { frameOf } from "./frame-fields.ts";
import type { Size } from "./image-size.ts";
import { createSessions, type Session } from "./sessions.ts";

type Plan = { size: Size; given?: GivenPicture };

/** Pictures of unfinished work are small. */
const PREVIEW_SIDE = 256;
/** A preview after every so many steps, where the caller does not say. */
const PREVIEWS_PER_RUN = 5;

type Drawer<In> = {
  model: DiffusionModel;
  codec: Assets["codec"];
  /** What a pipeline adds to the fields that all share. */
  plan(task: Task<In>, session: Session | undefined): Plan | Promise<Plan>;
};

export function drawTasks<In extends DrawingInput>({
  model,
  codec,
  plan,
}: Drawer<In>): Run<In, Static<typeof drawnOutput>> {
  const sessions = createSessions();
  return async function* (tasks, signal) {
    for (const [index, task] of tasks.entries()) {
      const started = performance.now();
      const session = task.session === undefined ? undefined : sessions.of(task.session);
      const seed = task.input.seed ?? session?.seed ?? randomSeed();
      const drawing = draw({ model, task, seed, signal, session, plan: await plan(task, session) });
      let steps = 0;
      let latents: Float32Array | undefined;
      let next = await drawing.next();
      for (; !next.done; next = await drawing.next()) {
        const { at, of } = next.value;
        steps++;
        latents = next.value.latents;
        yield { index, step: { type: "progress", at, of } };
        if (isForPreview(task, { at, of }))
          yield { index, step: { type: "partial", value: await previewOf(next.value, { task, codec, seed }) } };
      }
      const pictures = next.value;
      if (session) Object.assign(session, { seed, ...(latents && { latents }) });
      const seconds = (performance.now() - started) / 1000;
      const value = await answerWith({ task, codec, pictures, seed, seconds });
      const paid = Math.min(steps, task.input.num_inference_steps);
      yield { index, step: { type: "output", value, units: unitsOf(pictures, paid) } };
    }
  };
}

function isForPreview({ wantsPartials, input }: Task<DrawingInput>, { at, of }: { at: number; of: number }): boolean {
  const every = input.preview_every ?? Math.ceil(of / (PREVIEWS_PER_RUN + 1));
  return wantsPartials === true && every > 0 && at < of && at % every === 0;
}

type Previewing = { task: Task<DrawingInput>; codec: Assets["codec"]; seed: number };

/** Shaped like the answer, its pictures small and inside. */
async function previewOf({ preview }: Drawn, { task, codec, seed }: Previewing) {
  const pictures = (await preview()).map(atPreviewSize);
  const inline: DrawingInput = { ...task.input, output_format: "jpeg", sync_mode: true };
  return await answerWith({ task: { ...task, input: inline }, codec, pictures, seed, seconds: 0 });
}

/** The longer side of all previews is the same, whether they come from few latents or from whole pictures. */
function atPreviewSize(pixels: Pixels): Pixels {
  const scale = PREVIEW_SIDE / Math.max(pixels.width, pixels.height);
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  return resize(pixels, { width: side(pixels.width), height: side(pixels.height), kernel: "bilinear" });
}

type Draw = {
  model: DiffusionModel;
  task: Task<DrawingInput>;
  seed: number;
  signal: AbortSignal;
  session: Session | undefined;
  plan: Plan;
};

async function* draw({ model, task, seed, signal, session, plan }: Draw): ReturnType<DiffusionModel["draw"]> {
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
    ...previousOf(task, session),
    signal,
  });
}

function previousOf(task: Task<DrawingInput>, session: Session | undefined): Pick<Drawing, "previous"> {
  const frame = frameOf(task);
  if (!frame || !session?.latents) return {};
  return { previous: { latents: session.latents, share: frame.feedback, strength: frame.strength } };
}
