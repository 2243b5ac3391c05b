// How well texts describe a picture, with a model of the CLIP or SigLIP family.
import { definePipeline, type Task } from "../../core/pipeline.ts";
import { type Static, Type } from "../../core/schema.ts";
import { loadSimilarity, type SimilarityDeclaration, type SimilarityModel } from "../embedding/similarity.ts";
import { fitting } from "../embedding/too-long.ts";
import { pictureUrl, readImageUrl } from "../media/picture.ts";

const input = Type.Object({
  image_url: pictureUrl,
  texts: Type.Array(Type.String({ minLength: 1, maxLength: 20_000 }), {
    minItems: 1,
    maxItems: 64,
    description: "Descriptions to compare with the picture, or names of kinds with a template.",
  }),
  template: Type.String({
    default: "{}",
    pattern: "\\{\\}",
    maxLength: 1000,
    description:
      'What the model reads of each text, in place of {}: "a photo of a {}" tells kinds of things apart better.',
  }),
});

const perText = (description: string) =>
  Type.Array(Type.Number(), { description: `${description}, in the order of the texts.` });

const output = Type.Object({
  classes: Type.Array(Type.Object({ label: Type.String(), score: Type.Number() }), {
    description: "The texts with their scores, the likeliest first.",
  }),
  scores: perText(
    "CLIP: share of each text among all (softmax of the logits); SigLIP: how likely each is by itself (sigmoid); from 0 to 1",
  ),
  logits: perText("The model's own score of each text"),
  similarities: perText("Cosine between the picture's embedding and each text's, from -1 to 1"),
});

type Input = Static<typeof input>;

export const imageTextSimilarity = {
  of: ({ similarity: declared }: { similarity?: SimilarityDeclaration }) =>
    definePipeline({
      summary: "Scores how well each of several texts describes a picture.",
      counts: ["images", "texts"],
      input,
      output,
      estimate: ({ texts }) => ({ images: 1, texts: texts.length }),
      async load(assets) {
        const model = await loadSimilarity(assets, declared);
        return async function* (tasks, signal) {
          for (const [index, task] of tasks.entries()) {
            signal.throwIfAborted();
            const { texts } = task.input;
            const picture = await readImageUrl(task, assets.codec);
            const { logits, cosines: similarities } = await model.compare(picture, textsOf(task, model));
            const scores = model.scoresOf(logits);
            const classes = texts
              .map((label, i) => ({ label, score: scores[i] ?? 0 }))
              .toSorted((a, b) => b.score - a.score);
            const value = { classes, scores, logits, similarities };
            yield { index, step: { type: "output", value, units: { images: 1, texts: texts.length } } };
          }
        };
      },
    }),
};

/** Cut to what the model reads, and the log says so. */
const textsOf = ({ input: { texts, template }, log }: Task<Input>, { tokenizer, most }: SimilarityModel) =>
  texts.map((text, at) =>
    fitting(tokenizer, [template.split("{}").join(text)], { most, truncate: true, loc: ["body", "texts", at], log }),
  );
