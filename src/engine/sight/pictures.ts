// The pictures of a conversation: found in its messages, read, looked at, and seen where they have not been lately.
import { createHash } from "node:crypto";
import { ForecourtError } from "../../core/errors.ts";
import type { ImageCodec, Task } from "../../core/pipeline.ts";
import type { ChatInput } from "../generation/chat-fields.ts";
import { wrong } from "../generation/conversation.ts";
import { readPicture } from "../media/picture.ts";
import { createPause, letIn } from "../pause.ts";
import { toFloats } from "../tensor/tensor.ts";
import type { Detail, Look, Sight } from "./look.ts";
import type { SeenPicture, SeenPictures } from "./seen-pictures.ts";

/** Looked at: `key` stands for what is seen of it. */
export type Picture = Look & { key: string };

type Place = { url: string; detail: Detail; field: (string | number)[] };

/** Of one conversation; each may be of thousands of tokens. */
export const MOST_PICTURES = 32;

export function picturesIn({ messages = [], image_url: url }: Pick<ChatInput, "messages" | "image_url">): Place[] {
  const own: Place[] = url === undefined ? [] : [{ url, detail: "auto", field: ["image_url"] }];
  const others = messages.flatMap(({ content }, message) =>
    Array.isArray(content)
      ? content.flatMap((part, at) =>
          part.type === "image_url"
            ? [{ ...pictureOf(part.image_url), field: ["messages", message, "content", at, "image_url", "url"] }]
            : [],
        )
      : [],
  );
  return [...own, ...others];
}

const pictureOf = ({ url, detail = "auto" }: { url: string; detail?: Detail }) => ({ url, detail });

type Looking = { task: Task<ChatInput>; codec: ImageCodec; sight: Sight; signal: AbortSignal };

/** In the order of the messages. Throws `invalid_input`, naming the field, for too many and for what is no picture. */
export async function lookAtAll({ task, codec, sight, signal }: Looking): Promise<Picture[]> {
  const places = picturesIn(task.input);
  if (places.length > MOST_PICTURES)
    throw wrong(
      ["messages"],
      `The conversation has ${places.length} pictures; at most ${MOST_PICTURES} are read. Leave out early ones`,
      "too_many_pictures",
    );
  const looked: Picture[] = [];
  // One after the other: only what the tower takes of each is held.
  for (const { url, detail, field } of places) {
    const pixels = await readPicture({ task, codec, url, field });
    try {
      looked.push({ ...(await sight.look(pixels, detail, createPause(signal))), key: await keyOf(task, url, detail) });
    } catch (failure) {
      if (failure instanceof ForecourtError && failure.code === "invalid_input")
        throw wrong(field, failure.message, "image_load_error");
      throw failure;
    }
  }
  return looked;
}

/** Of the file's content, never its address: that may give another picture tomorrow. */
async function keyOf(task: Task<ChatInput>, url: string, detail: Detail): Promise<string> {
  const hash = createHash("sha256").update(await task.media(url));
  return `${hash.digest("hex")} ${detail === "low" ? "low" : "high"}`;
}

/** What the tower makes of a picture, or made of it lately. */
export async function seeing(
  picture: Picture,
  { seen, signal }: { seen: SeenPictures; signal: AbortSignal },
): Promise<SeenPicture> {
  const known = seen.find(picture.key);
  if (known) return known;
  const parts: Float32Array[] = [];
  for (const piece of picture.pieces) {
    signal.throwIfAborted();
    parts.push(toFloats(await piece()));
    // Other answers go on between two pieces.
    await letIn(signal);
  }
  const vectors = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    vectors.set(part, at);
    at += part.length;
  }
  return seen.keep(picture.key, { vectors, count: picture.vectors });
}
