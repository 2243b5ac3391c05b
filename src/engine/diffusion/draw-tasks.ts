// Runs the jobs of a diffusion pipeline, alike ones together and the others one after the other: draws, tells the progress, answers as fal does.
import type { Assets, Pixels, Run, Step, Task } from "../../core/pipeline.ts";
import type { Static } from "../../core/schema.ts";
import { readLoraFiles } from "../lora/lora-field.ts";
import { answerWith, type drawnOutput, randomSeed, unitsOf } from "../media/drawn.ts";
import { cropTo } from "../tensor/crop.ts";
import { createRandom, joinedRandom, seedOfPicture } from "../tensor/random.ts";
import { resize } from "../tensor/resize.ts";
import type { AdaptableModel } from "./adaptable-model.ts";
import type { ControlPicture } from "./control.ts";
import type { DiffusionModel, Drawing, Drawn, GivenPicture } from "./diffusion-model.ts";
import type { DrawingInput } from "./drawing-fields.ts";
import { drawingKey } from "./drawing-key.ts";
import { type DrawingPrompts, readPrompts } from "./drawing-prompts.ts";
import { frameOf } from "./frame-fields.ts";
import type { Size } from "./image-size.ts";
import { blackened, type SafetyChecker } from "./safety-checker.ts";
import { samplerChanges } from "./sampler-fields.ts";
import { createSessions, type Session } from "./sessions.ts";

type Plan = {
  size: Size;
  given?: GivenPicture;
  references?: readonly Pixels[];
  control?: ControlPicture;
  /** Of the picture in the answer, which is cut out of the middle of what was drawn. */
  proportions?: Size;
};

/** Pictures of unfinished work are small. */
const PREVIEW_SIDE = 256;
/** A preview after every so many steps, where the caller does not say. */
const PREVIEWS_PER_RUN = 5;

type Drawer<In> = {
  models: AdaptableModel;
  codec: Assets["codec"];
  /** What a pipeline adds to the fields that all share. */
  plan(task: Task<In>, session: Session | undefined, signal: AbortSignal): Plan | Promise<Plan>;
};

export function drawTasks<In extends DrawingInput>({
  models,
  codec,
  plan,
}: Drawer<In>): Run<In, Static<typeof drawnOutput>> {
  const sessions = createSessions();
  /** Those of a group are the same. */
  const lorasOf = async ([first]: readonly Indexed<In>[]) =>
    first ? await readLoraFiles(first.task, models.assets) : [];
  const begin = async ({ index, task }: Indexed<In>, model: DiffusionModel, signal: AbortSignal): Promise<Begun> => {
    const session = task.session === undefined ? undefined : sessions.of(task.session);
    const seed = task.input.seed ?? session?.seed ?? randomSeed();
    return {
      index,
      task,
      seed,
      session,
      plan: await plan(task, session, signal),
      prompts: await readPrompts(model, task.input),
    };
  };
  return async function* (tasks, signal) {
    for (const group of groupsOf(tasks)) {
      const started = performance.now();
      const model = await models.with(await lorasOf(group));
      const begun = await Promise.all(group.map((each) => begin(each, model, signal)));
      const alike = Map.groupBy(begun, ({ prompts }) => prompts.prompt.readings);
      for (const part of alike.values())
        yield* drawTogether({ model, codec, checker: models.checker, begun: part, started, signal });
    }
  };
}

type Together = {
  model: DiffusionModel;
  codec: Assets["codec"];
  begun: Begun[];
  checker: SafetyChecker | undefined;
  started: number;
  signal: AbortSignal;
};

async function* drawTogether({ model, codec, begun, checker, started, signal }: Together): Drawings {
  const [first, ...others] = begun;
  if (!first) return;
  const drawing = draw({ model, begun: [first, ...others], signal });
  let steps = 0;
  let latents: Float32Array | undefined;
  let next = await drawing.next();
  for (; !next.done; next = await drawing.next()) {
    const { at, of } = next.value;
    steps++;
    latents = next.value.latents;
    for (const { index } of begun) yield { index, step: { type: "progress", at, of } };
    const { index, task, seed } = first;
    if (others.length === 0 && !(checker && task.input.enable_safety_checker) && isForPreview(task, { at, of }))
      yield { index, step: { type: "partial", value: await previewOf(next.value, { task, codec, seed }) } };
  }
  if (first.session) Object.assign(first.session, { seed: first.seed, ...(latents && { latents }) });
  const seconds = (performance.now() - started) / 1000;
  for (const [at, { index, task, seed, plan }] of begun.entries()) {
    const count = task.input.num_images;
    const drawn = next.value.slice(at * count, (at + 1) * count);
    const unsafe = task.input.enable_safety_checker ? await checked(drawn, { task, checker }) : [];
    const shown = drawn.map((picture, i) => (unsafe[i] ? blackened(picture) : picture));
    const { proportions } = plan;
    const pictures = proportions ? shown.map((picture) => cropTo(proportions, picture)) : shown;
    const value = await answerWith({ task, codec, pictures, seed, seconds, unsafe });
    const units = unitsOf(pictures, Math.min(steps, task.input.num_inference_steps));
    yield { index, step: { type: "output", value, units } };
  }
}

/** None are found where there is no checker, and the caller is told so. */
async function checked(
  pictures: readonly Pixels[],
  { task, checker }: Pick<Together, "checker"> & { task: Task<DrawingInput> },
) {
  if (!checker) task.log("this model has no safety checker: the pictures are not checked");
  return (await checker?.check(pictures)) ?? [];
}

type Indexed<In> = { index: number; task: Task<In> };
type Drawings = AsyncGenerator<{ index: number; step: Step<Static<typeof drawnOutput>> }>;

type Begun = Indexed<DrawingInput> & {
  seed: number;
  session: Session | undefined;
  plan: Plan;
  prompts: DrawingPrompts;
};

/** Jobs whose batch keys are equal; those of sessions, and those that are watched as they grow, are for themselves. */
function groupsOf<In extends DrawingInput>(tasks: Task<In>[]): Indexed<In>[][] {
  const groups = new Map<string, Indexed<In>[]>();
  for (const [index, task] of tasks.entries()) {
    const isAlone = task.session !== undefined || task.wantsPartials === true;
    const key = (isAlone ? undefined : drawingKey(task.input)) ?? `alone ${index}`;
    groups.set(key, [...(groups.get(key) ?? []), { index, task }]);
  }
  return [...groups.values()];
}

function isForPreview({ wantsPartials, input }: Task<DrawingInput>, { at, of }: { at: number; of: number }): boolean {
  const every = input.preview_every ?? Math.ceil(of / (PREVIEWS_PER_RUN + 1));
  return wantsPartials === true && every > 0 && at < of && at % every === 0;
}

type Previewing = { task: Task<DrawingInput>; codec: Assets["codec"]; seed: number };

/** Shaped like the answer, its pictures small and inside. */
async function previewOf({ preview }: Drawn, { task, codec, seed }: Previewing) {
  const pictures = await Promise.all((await preview()).map(atPreviewSize));
  const inline: DrawingInput = { ...task.input, output_format: "jpeg", sync_mode: true };
  return await answerWith({ task: { ...task, input: inline }, codec, pictures, seed, seconds: 0 });
}

/** The longer side of all previews is the same, whether they come from few latents or from whole pictures. */
async function atPreviewSize(pixels: Pixels): Promise<Pixels> {
  const scale = PREVIEW_SIDE / Math.max(pixels.width, pixels.height);
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  return await resize(pixels, { width: side(pixels.width), height: side(pixels.height), kernel: "bilinear" });
}

type Draw = { model: DiffusionModel; begun: [Begun, ...Begun[]]; signal: AbortSignal };

async function* draw({ model, begun, signal }: Draw): ReturnType<DiffusionModel["draw"]> {
  const [{ task, session, plan }] = begun;
  const { guidance_scale: scale, num_images: count, num_inference_steps: steps } = task.input;
  const scheduler = samplerChanges(task.input);
  for (const each of begun) {
    const { width, height } = plan.size;
    each.task.log(`drawing ${count} of ${width}x${height} in ${steps} steps, seed ${each.seed}`);
    for (const line of unreadOf(each, model)) each.task.log(line);
  }
  const negatives = begun.flatMap(({ prompts }) => prompts.negative ?? []);
  const seeds = begun.flatMap(({ seed }) => Array.from({ length: count }, (_, at) => seedOfPicture(seed, at)));
  return yield* model.draw({
    prompts: begun.map(({ prompts }) => prompts.prompt),
    ...(negatives.length > 0 && { negatives }),
    scale,
    size: plan.size,
    count: count * begun.length,
    steps,
    random: joinedRandom(seeds.map(createRandom)),
    ...(scheduler && { scheduler }),
    ...(plan.given && { given: plan.given }),
    ...(plan.control && { control: plan.control }),
    ...(plan.references && { references: plan.references }),
    ...previousOf(task, session),
    signal,
  });
}

/** What of the prompts has no part in the picture. */
function unreadOf({ task, prompts }: Begun, { guidance }: DiffusionModel): string[] {
  const tooLong = (name: string, dropped = 0) =>
    dropped > 0 ? [`the ${name} is too long: its last ${dropped} tokens are not read`] : [];
  const why = guidance === "two-prompts" ? "with guidance_scale of 1 or less" : "by this model";
  const isLost = task.input.negative_prompt.trim() !== "" && !prompts.negative;
  return [
    ...tooLong("prompt", prompts.prompt.dropped),
    ...tooLong("negative prompt", prompts.negative?.dropped),
    ...(isLost ? [`the negative prompt is not read ${why}`] : []),
  ];
}

function previousOf(task: Task<DrawingInput>, session: Session | undefined): Pick<Drawing, "previous"> {
  const frame = frameOf(task);
  if (!frame || !session?.latents) return {};
  return { previous: { latents: session.latents, share: frame.feedback, strength: frame.strength } };
}
