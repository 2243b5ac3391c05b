// The bodies of requests for pictures: OpenAI's fields, translated to a diffusion model's input.
import { choice, parse, type Static, Type } from "../../core/schema.ts";
import { wrongField } from "../../core/wrong-field.ts";
import type { PipelineName } from "../../engine/pipelines/registry.ts";
import { dataUri, type FormFields, plainText } from "../read-form.ts";
import { nothing } from "./nullable.ts";

/** What both kinds share. Fields for which there is nothing here (quality, style, user...) are read over. */
const common = {
  model: Type.String({ minLength: 1, description: "Id or alias of an image model; GET /v1/models lists them" }),
  prompt: Type.String({ minLength: 1, maxLength: 20_000 }),
  n: Type.Integer({ default: 1, minimum: 1, maximum: 8 }),
  size: Type.Optional(
    Type.String({ pattern: "^(auto|[0-9]{1,5}x[0-9]{1,5})$", description: "`512x512`; auto: the model's own" }),
  ),
  response_format: Type.Optional(choice(["url", "b64_json"], { description: "Absent: both" })),
  output_format: Type.Optional(choice(["png", "jpeg", "webp"])),
  background: Type.Optional(choice(["auto", "opaque"], { description: "These models draw no transparency" })),
  stream: Type.Boolean({ default: false }),
  partial_images: Type.Integer({ default: 0, minimum: 0, maximum: 3, description: "Previews in a stream" }),
  seed: Type.Optional(Type.Integer({ minimum: 0, description: "Beyond OpenAI's: the same seed, the same picture" })),
};

const strength = Type.Optional(
  Type.Number({
    ...{ exclusiveMinimum: 0, maximum: 1 },
    description: "Beyond OpenAI's: how much to change the picture, where the prompt alone does not say",
  }),
);
const SEVERAL = { minItems: 1, maxItems: 16 };
const MASK = "Transparent, or white, where to draw anew";

export const imageBody = Type.Object(common);
/** A form. */
export const editBody = Type.Object({
  ...common,
  image: Type.Array(Type.String(), {
    ...SEVERAL,
    description: "The picture to change: a file; several (`image[]`) for models that combine them",
  }),
  mask: Type.Optional(Type.String({ description: `${MASK}: a file` })),
  markup: nothing("Marks over a picture guide no model here: say it in the prompt, or give a mask"),
  strength,
});

const reference = Type.Object({
  image_url: Type.String({ minLength: 1, description: "URL or data URI" }),
  file_id: nothing("Files of /v1/files are not kept here: give the picture as image_url, a URL or a data URI"),
});
/** The same as JSON, which names its pictures. */
export const editJsonBody = Type.Object({
  ...common,
  images: Type.Array(reference, {
    ...SEVERAL,
    description: "The picture to change; several for models that combine them",
  }),
  mask: Type.Optional(Type.Object(reference.properties, { description: MASK })),
  strength,
});

export type ImageBody = Static<typeof imageBody>;
export type EditBody = Static<typeof editBody>;

export const readImageBody = (body: unknown): ImageBody => parse(imageBody, body);

export function readEditJsonBody(body: unknown): EditBody {
  const { images, mask, ...fields } = parse(editJsonBody, body);
  return { ...fields, image: images.map(({ image_url }) => image_url), ...(mask && { mask: mask.image_url }) };
}

/** Files become data URIs. */
export async function readEditBody({ image, ...fields }: FormFields): Promise<EditBody> {
  const entries = Object.entries(fields).map(async ([name, value]) => [name, await plain(name, value)]);
  const images = image !== undefined && {
    image: await Promise.all([image].flat().map((each) => plain("image", each))),
  };
  return parse(editBody, { ...Object.fromEntries(await Promise.all(entries)), ...images });
}

const TEXTS = new Set(["prompt", "model"]);

async function plain(name: string, value: FormFields[string]): Promise<unknown> {
  if (Array.isArray(value)) {
    const [only] = value;
    if (value.length === 1 && only !== undefined) return await plain(name, only);
    if (name === "mask") throw wrongField(name, "There is one mask, for the first picture");
    return value;
  }
  if (typeof value !== "string") return await dataUri(value);
  if (TEXTS.has(name)) return value;
  return value === "null" ? null : plainText(value);
}

/** The input of a model that draws. Pictures that are to come within the answer are kept nowhere else. */
export function drawingInput(body: ImageBody): Record<string, unknown> {
  const [width, height] = (body.size ?? "auto").split("x").map(Number);
  return {
    prompt: body.prompt,
    num_images: body.n,
    ...(width && height && { image_size: { width, height } }),
    ...(body.output_format && { output_format: body.output_format }),
    ...(body.seed !== undefined && { seed: body.seed }),
    ...((body.response_format === "b64_json" || body.stream) && { sync_mode: true }),
  };
}

/** Throws `invalid_input` for what this kind of model cannot do. */
export function editingInput({ image, mask, strength, ...body }: EditBody, pipeline: PipelineName) {
  if (pipeline === "edit-image") {
    if (strength !== undefined)
      throw wrongField("strength", "What this model changes, and how much, is for the prompt to say: leave this out");
    return { ...drawingInput(body), image_urls: image };
  }
  const [only, ...others] = image;
  if (others.length > 0) throw wrongField("image", "This model changes one picture at a time");
  return {
    ...drawingInput(body),
    image_url: only,
    ...(mask !== undefined && { mask_url: mask }),
    ...(strength !== undefined && { strength }),
  };
}
