// A model's example as a trial can run it: where it names a file of the web, there is a picture or sound of our own.
import { parse, type TObject, type TSchema } from "../../core/schema.ts";
import { encodeWav } from "../../engine/media/wav.ts";

/** 64 x 64 pixels: a red square on blue. */
const PICTURE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAXElEQVR42u3ZQQ0AIAwAscmZCJRMHcIQgwrIIE3OQN8XWfPpAgAAAAAAAAAAAADgGmCNPBoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQD+AQwMAAAAAAAAAAADwDWADqjaZD0//uA8AAAAASUVORK5CYII=";

/** A second of 440 Hz. */
const SOUND = { rate: 16_000, hertz: 440, loudness: 0.3 };

/** Checked and with defaults. Throws `invalid_input` for an example that the model does not take. */
export function trialInput(schema: TObject, example: Record<string, unknown>): Record<string, unknown> {
  return parse(schema, withOwnMedia(schema, example) as Record<string, unknown>); // an object stays one
}

function withOwnMedia(schema: TSchema, value: unknown): unknown {
  if (typeof value === "string") return mediaOf(schema, value);
  if (Array.isArray(value)) return schema.items ? value.map((each) => withOwnMedia(schema.items, each)) : value;
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, each]) => {
    const inner: TSchema | undefined = schema.properties?.[name];
    return [name, inner ? withOwnMedia(inner, each) : each];
  });
  return Object.fromEntries(fields);
}

function mediaOf({ media, anyOf = [] }: TSchema, value: string): string {
  if (!/^https?:/.test(value)) return value;
  const kinds = [media, ...anyOf.map((each: TSchema) => each.media)];
  if (kinds.includes("image")) return PICTURE;
  return kinds.includes("audio") ? sound() : value;
}

function sound(): string {
  const { rate, hertz, loudness } = SOUND;
  const samples = Float32Array.from(
    { length: rate },
    (_, at) => loudness * Math.sin((2 * Math.PI * hertz * at) / rate),
  );
  return `data:audio/wav;base64,${encodeWav({ samples, rate }).toBase64()}`;
}
