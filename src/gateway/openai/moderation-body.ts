// The body of a request for moderation: a text, several that are judged each by itself, or parts that belong together.
import { parse, type Static, Type } from "../../core/schema.ts";
import { longText } from "../../engine/embedding/embed-fields.ts";

const part = Type.Union([
  Type.Object({ type: Type.Literal("text"), text: longText() }),
  Type.Object({ type: Type.Literal("image_url"), image_url: Type.Object({ url: Type.String({ minLength: 1 }) }) }),
]);

export const moderationBody = Type.Object({
  model: Type.Optional(
    Type.String({ minLength: 1, description: "Id or alias of a moderation model; absent: the only one of the box" }),
  ),
  input: Type.Union(
    [
      longText(),
      Type.Array(longText(), { minItems: 1, maxItems: 1024 }),
      Type.Array(part, { minItems: 1, maxItems: 64 }),
    ],
    { description: "A text, texts, or parts (`text`, `image_url`) that are judged as one" },
  ),
});

export type ModerationBody = Static<typeof moderationBody>;
export const readModerationBody = (body: unknown): ModerationBody => parse(moderationBody, body);

/** Things that are judged as one, by what they are. */
export type Bundle = { texts: string[]; images: string[] };

export function bundlesOf({ input }: ModerationBody): Bundle[] {
  const all = typeof input === "string" ? [input] : input;
  const texts = all.filter((each) => typeof each === "string");
  if (texts.length > 0) return texts.map((text) => ({ texts: [text], images: [] }));
  const parts = all.filter((each) => typeof each !== "string");
  return [
    {
      texts: parts.flatMap((each) => (each.type === "text" ? [each.text] : [])),
      images: parts.flatMap((each) => (each.type === "image_url" ? [each.image_url.url] : [])),
    },
  ];
}
