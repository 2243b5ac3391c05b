// Whether pictures are not safe for work, by a classifier that has classes for it. Fields are those of fal-ai/imageutils/nsfw and
// fal-ai/x-ailab/nsfw (fal-protocol.md 12).
import { ForecourtError } from "../../core/errors.ts";
import { definePipeline } from "../../core/pipeline.ts";
import { mediaUrl, Type } from "../../core/schema.ts";
import { loadClassifier, type Named } from "../labelling/classifier.ts";
import { isUnsafe } from "../labelling/unsafe-labels.ts";
import { readPicture } from "../media/picture.ts";

/** As fal: further ones are not looked at. */
const MOST_PICTURES = 10;

const url = (description: string) => mediaUrl("image", description);
const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });

export const checkImage = definePipeline({
  summary: "Tells whether pictures are not safe for work.",
  counts: ["images"],
  input: Type.Object({
    image_url: Type.Optional(url("The picture: URL or data URI.")),
    image_urls: Type.Optional(
      Type.Array(url("URL or data URI."), {
        minItems: 1,
        description: `Several pictures; the first ${MOST_PICTURES} are looked at.`,
      }),
    ),
    threshold: Type.Number({
      default: 0.5,
      minimum: 0,
      maximum: 1,
      description: "A picture counts as unsafe above this probability.",
    }),
  }),
  output: Type.Object({
    nsfw_probability: share("The highest of all pictures'."),
    nsfw_probabilities: Type.Array(share("How likely it is that the picture is not safe for work."), {
      description: "One for each picture.",
    }),
    has_nsfw_concepts: Type.Array(Type.Boolean(), { description: "One for each picture." }),
  }),
  estimate: ({ image_urls }) => ({ requests: 1, images: Math.min(MOST_PICTURES, image_urls?.length ?? 1) }),
  async load(assets) {
    const { labels, classify } = await loadClassifier(assets);
    if (!labels.some(isUnsafe)) throw withoutUnsafe(labels);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        const asked = picturesOf(task.input);
        if (asked.length > MOST_PICTURES) task.log(`only the first ${MOST_PICTURES} of ${asked.length} are looked at`);
        const probabilities: number[] = [];
        for (const { url, field } of asked.slice(0, MOST_PICTURES)) {
          signal.throwIfAborted();
          probabilities.push(unsafeShare(await classify(await readPicture({ task, codec: assets.codec, url, field }))));
        }
        const value = {
          nsfw_probability: Math.max(...probabilities),
          nsfw_probabilities: probabilities,
          has_nsfw_concepts: probabilities.map((each) => each > task.input.threshold),
        };
        yield { index, step: { type: "output", value, units: { requests: 1, images: probabilities.length } } };
      }
    };
  },
});

type Asked = { url: string; field: string | readonly (string | number)[] };

function picturesOf({ image_url, image_urls = [] }: { image_url?: string; image_urls?: string[] }): Asked[] {
  const one: Asked[] = image_url === undefined ? [] : [{ url: image_url, field: "image_url" }];
  const asked = [...one, ...image_urls.map((url, i) => ({ url, field: ["image_urls", i] }))];
  if (asked.length > 0) return asked;
  const msg = "Give image_url or image_urls";
  throw new ForecourtError("invalid_input", `image_url: ${msg}`, {
    problems: [{ loc: ["body", "image_url"], msg, type: "missing" }],
  });
}

/** Of several such classes all together. */
const unsafeShare = (classes: readonly Named[]) =>
  Math.min(
    1,
    classes.filter(({ label }) => isUnsafe(label)).reduce((sum, { score }) => sum + score, 0),
  );

const withoutUnsafe = (labels: readonly string[]) =>
  new ForecourtError(
    "misconfigured",
    `none of the model's classes is known to mean unsafe pictures (${labels.slice(0, 8).join(", ")}): use the pipeline classify-image`,
  );
