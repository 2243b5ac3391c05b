// A word for an action becomes the movement of a skeleton, as BVH and GLB.
import { ForecourtError } from "../../core/errors.ts";
import { definePipeline, type Graph } from "../../core/pipeline.ts";
import { choice, type Static, Type } from "../../core/schema.ts";
import { randomSeed } from "../media/drawn.ts";
import { actionOf } from "../motion/action-words.ts";
import { CLIP_BONES, CLIP_HEIGHT, posesOf, readVocabulary, VOCABULARIES, type Vocabulary } from "../motion/clip.ts";
import { scaled } from "../motion/fit-figure.ts";
import type { Motion } from "../motion/motion.ts";
import { motionFields, saveMotion } from "../motion/motion-files.ts";
import { stand } from "../motion/stand.ts";
import { createRandom, MAX_SEED } from "../tensor/random.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";

const GRAPH = "onnx/model.onnx";

const input = Type.Object({
  prompt: Type.String({
    ...{ minLength: 1, maxLength: 1000 },
    description:
      "What the figure does: one of the model's own actions, alone or in a sentence. The model's description lists them.",
    ui: { important: true },
  }),
  seed: Type.Optional(
    Type.Integer({
      ...{ minimum: 0, maximum: MAX_SEED },
      description: "The same seed and input give the same motion. Absent: drawn at random and returned.",
    }),
  ),
  variation: Type.Number({
    ...{ default: 0.5, minimum: 0, maximum: 1 },
    description:
      "How far seeds lead away from the usual way to do it; 0: they make no difference. The models were made for 0.5.",
  }),
  root_motion: choice(["grounded", "fixed"], {
    default: "grounded",
    description: "grounded: the lowest joint of each frame is on the ground; fixed: the hips stay in one place.",
  }),
  height: Type.Number({
    ...{ default: 1.7, minimum: 0.3, maximum: 3 },
    description: "How tall the figure is, in metres.",
  }),
  ...motionFields.input,
});

const output = Type.Object({
  ...motionFields.output,
  action: Type.String({ description: "The model's word for what the figure does." }),
  ignored_words: Type.Array(Type.String(), {
    description: "Words of the prompt that the model knows nothing of; they changed nothing.",
  }),
  seed: Type.Integer({ description: "The seed that was used." }),
  prompt: Type.String(),
});

export const textToMotion = definePipeline({
  summary: "Makes a skeleton move as a text says, by the actions that the model knows.",
  counts: ["seconds"],
  input,
  output,
  async load(assets) {
    const vocabulary = await readVocabulary(assets, VOCABULARIES.find(assets.has) ?? "vocab.json");
    const generate = generator(await assets.graph(GRAPH), vocabulary);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const { prompt, seed = randomSeed() } = task.input;
        const { action, ignored } = actionOf(prompt, vocabulary.vocab);
        if (ignored.length > 0) task.log(`The model knows nothing of these words: ${ignored.join(", ")}`);
        const motion = await generate({ ...task.input, seed, action });
        const saved = await saveMotion(task, motion);
        const told = { action: vocabulary.vocab[action] ?? "", ignored_words: ignored, seed, prompt };
        const units = { requests: 1, seconds: saved.num_frames / saved.fps };
        yield { index, step: { type: "output", value: { ...saved, ...told }, units } };
      }
    };
  },
});

type Wish = Pick<Static<typeof input>, "variation" | "root_motion" | "height"> & { seed: number; action: number };

function generator(graph: Graph, vocabulary: Vocabulary): (wish: Wish) => Promise<Motion> {
  const of = "motion model";
  const words = requirePort(graph.inputs, { names: ["tokens"], of });
  const latent = requirePort(graph.inputs, { names: ["seed"], of });
  const output = requirePort(graph.outputs, { names: ["motion"], of });
  const [known, size] = [words.shape.at(-1), latent.shape.at(-1)];
  const { vocab, fps } = vocabulary;
  if (known !== vocab.length || typeof size !== "number")
    throw new ForecourtError("misconfigured", `the vocabulary has ${vocab.length} words, the graph takes ${known}`);
  return async ({ seed, variation, action, root_motion: way, height }) => {
    const noise = createRandom(seed)
      .normal(size)
      .map((value) => value * variation);
    const token = vocab.map((_, at) => (at === action ? 1 : 0));
    const results = await graph.run({
      [words.name]: tensorOf(words.dtype, [1, vocab.length], token),
      [latent.name]: tensorOf(latent.dtype, [1, size], noise),
    });
    const motion = results[output.name];
    if (!motion) throw new ForecourtError("misconfigured", "the graph gives no motion");
    const bones = scaled(CLIP_BONES, height / CLIP_HEIGHT);
    return { bones, fps, poses: stand(bones, posesOf(motion, vocabulary), { way, path: [] }) };
  };
}
