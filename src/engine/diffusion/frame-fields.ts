// Fields of a realtime message beside those of its pipeline: the picture comes inside the message and flows on to the next.
import { ForecourtError } from "../../core/errors.ts";
import type { ImageCodec, Pixels, Task } from "../../core/pipeline.ts";
import { type Static, Type } from "../../core/schema.ts";
import { readPicture } from "../media/picture.ts";
import type { Session } from "./sessions.ts";

export const frameFields = {
  image_url: Type.Optional(
    Type.String({
      pattern: "^data:",
      description:
        "The picture to begin with, as a data URI (or raw bytes in MessagePack). Absent: the one of an earlier message.",
      ui: { field: "image", important: true },
    }),
  ),
  strength: Type.Number({
    default: 0.8,
    minimum: 0.01,
    maximum: 1,
    description: "How much to change the picture that is begun with: of the steps this share is taken.",
  }),
  feedback: Type.Number({
    default: 0,
    minimum: 0,
    maximum: 1,
    description:
      "How much of the picture drawn for the last message to begin with, in place of the given one or of noise.",
  }),
};

const fields = Type.Object(frameFields);
export type FrameFields = Static<typeof fields>;

/** Of a message, whose input was checked by a schema with `frameFields`; undefined for other jobs. */
export const frameOf = ({ input, session }: Pick<Task<object>, "input" | "session">): FrameFields | undefined =>
  session === undefined ? undefined : (input as FrameFields); // checked by the catalogue's `frame`

type Looking = {
  task: Pick<Task<object>, "input" | "session" | "media">;
  session: Session | undefined;
  codec: ImageCodec;
};

/** The picture of this message, else of an earlier one of its session. */
export async function pictureOfSession({ task, session, codec }: Looking): Promise<Pixels | undefined> {
  const url = frameOf(task)?.image_url;
  if (url === undefined || !session) return session?.picture?.pixels;
  if (session.picture?.url !== url)
    session.picture = { url, pixels: await readPicture({ task, codec, url, field: "image_url" }) };
  return session.picture.pixels;
}

export function noPictureYet(): ForecourtError {
  const msg = "Field required: no earlier message of this connection gave a picture";
  return new ForecourtError("invalid_input", `image_url: ${msg}`, {
    problems: [{ loc: ["body", "image_url"], msg, type: "missing" }],
  });
}
