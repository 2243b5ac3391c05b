// Pictures from a prompt with a model of the Stable Diffusion family.
import { definePipeline, type ImageFormat, type Pixels, type Task } from "../../core/pipeline.ts";
import { choice, type Static, Type } from "../../core/schema.ts";
import { imageSizeField, sizeToDraw } from "../diffusion/image-size.ts";
import { loadStableDiffusion, type StableDiffusion } from "../diffusion/stable-diffusion.ts";
import { pictureField, savePicture } from "../media/picture.ts";
import { createRandom, MAX_SEED } from "../tensor/random.ts";

const input = Type.Object({
  prompt: Type.String({
    description: "What to draw.",
    minLength: 1,
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
  seed: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_SEED,
      description: "The same seed and input give the same picture. Absent: drawn at random and returned.",
    }),
  ),
  num_images: Type.Integer({ default: 1, minimum: 1, maximum: 8, description: "How many pictures to draw at once." }),
  enable_safety_checker: Type.Boolean({
    default: false,
    description: "Accepted for compatibility: there is no checker yet, has_nsfw_concepts is always false.",
  }),
  output_format: choice(["jpeg", "png", "webp"], { default: "jpeg", description: "Format of the pictures." }),
  sync_mode: Type.Boolean({
    default: false,
    description: "Return the pictures inside the answer, as data URIs, instead of as files.",
  }),
});

const output = Type.Object({
  images: Type.Array(pictureField),
  timings: Type.Record(Type.String(), Type.Number(), { description: "Seconds spent; `inference` is the whole run." }),
  seed: Type.Integer({ description: "The seed that was used." }),
  has_nsfw_concepts: Type.Array(Type.Boolean()),
  prompt: Type.String(),
});

type Input = Static<typeof input>;

export const textToImage = definePipeline({
  summary: "Draws pictures from a text prompt.",
  input,
  output,
  async load(assets) {
    const model = await loadStableDiffusion(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        const started = performance.now();
        const seed = task.input.seed ?? randomSeed();
        const drawn = yield* withIndex(index, draw({ model, task, seed, signal }));
        const inference = (performance.now() - started) / 1000;
        const images = [];
        for (const [i, pixels] of drawn.entries()) {
          images.push(
            await savePicture({ task, codec: assets.codec, pixels, name: `image-${i + 1}`, ...optionsOf(task) }),
          );
        }
        const value: Static<typeof output> = {
          images,
          timings: { inference },
          seed,
          has_nsfw_concepts: images.map(() => false),
          prompt: task.input.prompt,
        };
        yield { index, step: { type: "output", value, units: unitsOf(drawn, task.input) } };
      }
    };
  },
});

type Draw = { model: StableDiffusion; task: Task<Input>; seed: number; signal: AbortSignal };

async function* draw({ model, task, seed, signal }: Draw): AsyncGenerator<{ at: number; of: number }, Pixels[]> {
  const { prompt, negative_prompt, image_size, guidance_scale: scale, num_images, num_inference_steps } = task.input;
  const size = sizeToDraw(image_size, model.size);
  task.log(`drawing ${num_images} of ${size.width}x${size.height} in ${num_inference_steps} steps, seed ${seed}`);
  const embedding = await model.encode(prompt);
  if (embedding.dropped > 0) task.log(`the prompt is too long: its last ${embedding.dropped} tokens are not read`);
  return yield* model.draw({
    prompt: embedding,
    ...(scale > 1 && { guidance: { negative: await model.encode(negative_prompt), scale } }),
    size,
    count: num_images,
    steps: num_inference_steps,
    random: createRandom(seed),
    signal,
  });
}

async function* withIndex<Result>(
  index: number,
  progress: AsyncGenerator<{ at: number; of: number }, Result>,
): AsyncGenerator<{ index: number; step: { type: "progress"; at: number; of: number } }, Result> {
  let next = await progress.next();
  for (; !next.done; next = await progress.next()) yield { index, step: { type: "progress", ...next.value } };
  return next.value;
}

const randomSeed = () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

const optionsOf = ({ input }: Task<Input>): { format: ImageFormat; inline: boolean } => ({
  format: input.output_format,
  inline: input.sync_mode,
});

const unitsOf = (pictures: readonly Pixels[], { num_inference_steps }: Input) => ({
  images: pictures.length,
  megapixels: pictures.reduce((sum, { width, height }) => sum + (width * height) / 1e6, 0),
  steps: pictures.length * num_inference_steps,
});
