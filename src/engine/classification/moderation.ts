// The section `moderation` of a model file: what a classifier's classes are to those who ask whether something is harmful.
import { type Static, Type } from "../../core/schema.ts";

const share = (options: object = {}) => Type.Number({ exclusiveMinimum: 0, maximum: 1, ...options });

export const moderationDeclaration = Type.Object(
  {
    categories: Type.Record(Type.String(), Type.Union([Type.String({ minLength: 1 }), Type.Null()]), {
      default: {},
      description:
        "For each class the category that it is evidence of, OpenAI's or another; null: it means no harm. A class that is not named stands for itself",
    }),
    threshold: share({ default: 0.5, description: "Of the score from which something is flagged" }),
    thresholds: Type.Record(Type.String(), share(), { default: {}, description: "Others for single categories" }),
  },
  { additionalProperties: false, description: "Makes a classifier of texts or pictures serve /v1/moderations" },
);

export type ModerationDeclaration = Static<typeof moderationDeclaration>;

/** OpenAI's, in the order of its documentation. */
const CATEGORIES = [
  ...["harassment", "harassment/threatening", "sexual", "sexual/minors", "hate", "hate/threatening", "illicit"],
  ...["illicit/violent", "self-harm", "self-harm/intent", "self-harm/instructions", "violence", "violence/graphic"],
];

/**
 * What the classes of known models mean, by their cards: Detoxify's (toxic-bert and its kin; those of the unbiased model that
 * name groups of people mean no harm), KoalaAI/Text-Moderation's, and detectors of two classes.
 */
const KNOWN: Readonly<Record<string, string | null>> = {
  toxic: "harassment",
  toxicity: "harassment",
  severe_toxic: "harassment",
  severe_toxicity: "harassment",
  insult: "harassment",
  threat: "harassment/threatening",
  identity_hate: "hate",
  identity_attack: "hate",
  sexual_explicit: "sexual",
  ...Object.fromEntries(
    ["male", "female", "homosexual_gay_or_lesbian", "christian", "jewish", "muslim", "black", "white"].map((each) => [
      each,
      null,
    ]),
  ),
  psychiatric_or_mental_illness: null,
  ...{ S: "sexual", H: "hate", V: "violence", HR: "harassment", SH: "self-harm", S3: "sexual/minors" },
  ...{ H2: "hate/threatening", V2: "violence/graphic", OK: null },
  ...{ "non-toxic": null, nontoxic: null, neutral: null, not_toxic: null },
  ...{ nsfw: "sexual", porn: "sexual", sexy: "sexual", hentai: "sexual", sfw: null, normal: null, drawings: null },
};
/** Neither harm nor its absence alone: such classes make no model one for moderation. */
const COMMON = new Set(["neutral", "normal", "male", "female", "black", "white", "S", "H", "V", "OK"]);

/** What a model's classes mean, where they are known for it. Undefined: it sorts by something else than harm. */
export function knownModeration(labels: readonly string[]): Pick<ModerationDeclaration, "categories"> | undefined {
  const known = labels.filter((label) => Object.hasOwn(KNOWN, label));
  if (!known.some((label) => KNOWN[label] !== null && !COMMON.has(label))) return undefined;
  return { categories: Object.fromEntries(known.map((label) => [label, KNOWN[label] ?? null])) };
}

export type Judgement = {
  flagged: boolean;
  /** By category: OpenAI's, then the model's own. */
  categories: Record<string, boolean>;
  category_scores: Record<string, number>;
  /** What was judged for a category: nothing for those that no class stands for. */
  category_applied_input_types: Record<string, ("text" | "image")[]>;
};

export type Seen = {
  kind: "text" | "image";
  classes: readonly { label: string; score: number }[];
  declared: ModerationDeclaration;
};

/** Of a thing, or of several that belong together: what counts for a category is the highest score. */
export function judge(all: readonly Seen[]): Judgement {
  const judgement: Judgement = {
    flagged: false,
    categories: Object.fromEntries(CATEGORIES.map((each) => [each, false])),
    category_scores: Object.fromEntries(CATEGORIES.map((each) => [each, 0])),
    category_applied_input_types: Object.fromEntries(CATEGORIES.map((each) => [each, []])),
  };
  for (const { kind, classes, declared } of all)
    for (const { label, score } of classes) {
      const category = Object.hasOwn(declared.categories, label) ? (declared.categories[label] ?? null) : label;
      if (category === null) continue;
      const isOver = score >= (declared.thresholds[category] ?? declared.threshold);
      const applied = new Set(judgement.category_applied_input_types[category]).add(kind);
      judgement.categories[category] = (judgement.categories[category] ?? false) || isOver;
      judgement.category_scores[category] = Math.max(judgement.category_scores[category] ?? 0, score);
      judgement.category_applied_input_types[category] = [...applied];
      judgement.flagged ||= isOver;
    }
  return judgement;
}
