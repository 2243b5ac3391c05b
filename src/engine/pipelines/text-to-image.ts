// Pictures from a prompt with a model of the Stable Diffusion family.
import { definePipeline, type Pixels, type Task } from "../../core/pipeline.ts";
import { choice, type Static, Type } from "../../core/schema.ts";
import { imageSizeField, sizeToDraw } from "../diffusion/image-size.ts";
import { loadStableDiffusion, type StableDiffusion } from "../diffusion/stable-diffusion.ts";
import { answerWith, drawnFields, drawnOutput, randomSeed, unitsOf } from "../media/drawn.ts";
import { samplerChoiceNames, samplerChoices } from "../samplers/choices.ts";
import { createRandom } from "../tensor/random.ts";

const input = Type.Object({
  prompt: Type.String({
    description: "What to draw.",
    maxLength: 20_000,
    ui: { field: "textarea", important: true },
  }),
  negative_prompt: Type.String({
    default: "",
    maxLength: 20_000,
    description: "What to keep away from. Has no effect without guidance (guidance_scale of 1 or less).",
  }),
  image_size: imageSizeField,
  num_inference_steps: Type.Integer({
    default: 25,
    minimum: 1,
    maximum: 100,
    description: "Steps from noise to picture: more take longer and look better, up to a point.",
  }),
  guidance_scale: Type.Number({
    default: 7.5,
    minimum: 0,
    maximum: 20,
    description: "How closely to follow the prompt; 1 or less turns guidance off.",
  }),
  scheduler: Type.Optional(
    choice(samplerChoiceNames, { description: "How to step from noise to picture. Absent: the model's own way." }),
  ),
  ...drawnFields,
});

type Input = Static<typeof input>;

export const textToImage = definePipeline({
  summary: "Draws pictures from a text prompt.",
  input,
  output: drawnOutput,
  async load(assets) {
    const model = await loadStableDiffusion(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        const started = performance.now();
        const seed = task.input.seed ?? randomSeed();
        const drawing = draw({ model, task, seed, signal });
        let next = await drawing.next();
        for (; !next.done; next = await drawing.next()) yield { index, step: { type: "progress", ...next.value } };
        const pictures = next.value;
        const seconds = (performance.now() - started) / 1000;
        const value = await answerWith({ task, codec: assets.codec, pictures, seed, seconds });
        yield { index, step: { type: "output", value, units: unitsOf(pictures, task.input.num_inference_steps) } };
      }
    };
  },
});

type Draw = { model: StableDiffusion; task: Task<Input>; seed: number; signal: AbortSignal };

async function* draw({ model, task, seed, signal }: Draw): AsyncGenerator<{ at: number; of: number }, Pixels[]> {
  const { prompt, negative_prompt, image_size, scheduler, guidance_scale: scale, ...rest } = task.input;
  const { num_images: count, num_inference_steps: steps } = rest;
  const size = sizeToDraw(image_size, model.size);
  task.log(`drawing ${count} of ${size.width}x${size.height} in ${steps} steps, seed ${seed}`);
  const embedding = await model.encode(prompt);
  if (embedding.dropped > 0) task.log(`the prompt is too long: its last ${embedding.dropped} tokens are not read`);
  return yield* model.draw({
    prompt: embedding,
    ...(scale > 1 && { guidance: { negative: await model.encode(negative_prompt), scale } }),
    size,
    count,
    steps,
    random: createRandom(seed),
    ...(scheduler && { scheduler: samplerChoices[scheduler] }),
    signal,
  });
}
