// Models that judge whether texts and pictures are harmful: which of the box does it, and how each kind of them is asked.
import { type Named, namedModels } from "../../control/catalog/names.ts";
import type { Key } from "../../control/keys/key.ts";
import { mayUse } from "../../control/keys/patterns.ts";
import { ForecourtError } from "../../core/errors.ts";
import { wrongField } from "../../core/wrong-field.ts";
import type { ClassifyOutput } from "../../engine/classification/classify-fields.ts";
import type { ModerationDeclaration, Seen } from "../../engine/classification/moderation.ts";
import type { Model } from "../../engine/model.ts";
import { absentModel, type NamedCatalog } from "./chosen-model.ts";

export type Moderator = Named & {
  kind: Seen["kind"];
  declared: ModerationDeclaration;
  /** Inputs of the requests that judge all of these, and what their outputs say of each, in their order. */
  inputs(things: readonly string[]): Record<string, unknown>[];
  classes(outputs: readonly unknown[]): Seen["classes"][];
};

/** What OpenAI takes where a request names none. */
export const USUAL_NAME = "omni-moderation-latest";

type Asked = { name: string | undefined; caller: Key; kind: Seen["kind"] };

/** Throws `not_found` and `invalid_input`, saying what to add. */
export function moderatorFor(named: NamedCatalog, { name, caller, kind }: Asked): Moderator {
  const isNamed = name !== undefined || Object.hasOwn(named.names, USUAL_NAME);
  const found = isNamed ? namedModels(named, name ?? USUAL_NAME) : usable(named, caller);
  if (name !== undefined && found.length === 0) throw absentModel(named, name);
  const able = found.flatMap((each) => moderatorOf(each) ?? []);
  const fitting = preferred(able.filter((each) => each.kind === kind));
  const [first, ...others] = fitting;
  if (first && (isNamed || others.length === 0)) return first;
  if (first) throw wrongField("model", `Field required: one of ${fitting.map(({ endpoint }) => endpoint).join(", ")}`);
  if (isNamed && able.length > 0) throw wrongField("input", `Nothing was judged: ${NONE_FOR[kind]} ${ADVICE[kind]}`);
  if (name !== undefined && found.length > 0)
    throw wrongField("model", `The model ${name} is not for this: its file has no section moderation. ${ADVICE[kind]}`);
  const message = `This box has no moderation model for ${WORDS[kind]}, so nothing was judged. ${ADVICE[kind]}`;
  throw new ForecourtError("not_found", message, { details: { code: "model_not_found" } });
}

const usable = ({ catalog }: NamedCatalog, caller: Key): Named[] =>
  catalog.list().flatMap((entry) => (mayUse(caller, entry.model) ? [{ endpoint: entry.model.id, entry }] : []));

const WORDS = { text: "texts", image: "pictures" };
const NONE_FOR = { text: "this model reads no texts.", image: "no moderation model here reads pictures." };
const ADVICE = {
  text: "Add one by `forecourt models add Xenova/toxic-bert`, or give the section moderation to the file of a model that sorts texts (models/README.md).",
  image:
    "Pull one by `forecourt models pull adamcodd/vit-base-nsfw-detector`, or give the section moderation to the file of a model that sorts pictures (models/README.md).",
};

/** Those whose files say what their classes mean, before those that tell unsafe pictures alone. */
const preferred = (fitting: readonly Moderator[]): readonly Moderator[] => {
  const declared = fitting.filter(({ entry }) => entry.model.moderation);
  return declared.length > 0 ? declared : fitting;
};

/** Undefined for models that are none: they say so in their file, and sort texts or pictures into classes. */
function moderatorOf(named: Named): Moderator | undefined {
  const { model } = named.entry;
  const { moderation: declared } = model;
  if (model.pipeline === "check-image") return ofChecks(named, declared ?? UNSAFE);
  if (!declared) return undefined;
  if (model.pipeline === "classify-text")
    return {
      ...{ ...named, declared, kind: "text" },
      inputs: (texts) => [{ input: texts }],
      // Of the classify-text pipeline.
      classes: (outputs) => outputs.flatMap((output) => (output as ClassifyOutput).results),
    };
  const fields = pictureFields(model);
  return fields && ofPictures(named, declared, fields);
}

type Fields = { picture: string; classes: string };

/** Of a classifier of pictures, or a plain graph that is described to take one picture and to give classes. */
function pictureFields({ pipeline, onnx }: Model): Fields | undefined {
  if (pipeline === "classify-image") return { picture: "image_url", classes: "classes" };
  const [[picture, input] = [], ...others] = Object.entries(onnx?.inputs ?? {});
  const [classes] = Object.entries(onnx?.outputs ?? {}).find(([, { kind }]) => kind === "classes") ?? [];
  return picture && input?.kind === "image" && others.length === 0 && classes ? { picture, classes } : undefined;
}

/** As many classes as a request may ask for. */
const ALL = 1000;

const ofPictures = (named: Named, declared: ModerationDeclaration, { picture, classes }: Fields): Moderator => ({
  ...{ ...named, declared, kind: "image" },
  inputs: (urls) => urls.map((url) => ({ [picture]: url, top_k: ALL })),
  // The onnx pipeline gives an output of kind classes so.
  classes: (outputs) => outputs.map((output) => (output as Record<string, Seen["classes"]>)[classes] ?? []),
});

/** A model of the check-image pipeline gives one probability; its file need not say what that means. */
const UNSAFE_CLASS = "nsfw";
const UNSAFE: ModerationDeclaration = { categories: { [UNSAFE_CLASS]: "sexual" }, threshold: 0.5, thresholds: {} };

const ofChecks = (named: Named, declared: ModerationDeclaration): Moderator => ({
  ...{ ...named, declared, kind: "image" },
  inputs: (urls) => urls.map((url) => ({ image_url: url })),
  // Of the check-image pipeline.
  classes: (outputs) =>
    outputs.map((output) => [
      { label: UNSAFE_CLASS, score: (output as { nsfw_probability: number }).nsfw_probability },
    ]),
});
