// Pictures at the borders of a pipeline: read from a URL of the input, written as fal's answers carry them.
import { ForecourtError } from "../../core/errors.ts";
import type { ImageCodec, ImageFormat, Pixels, SavedFile, Task } from "../../core/pipeline.ts";
import { choice, mediaUrl, Type } from "../../core/schema.ts";
import { saveFile } from "./saved-file.ts";

export const pictureField = Type.Object({
  url: Type.String({ description: "Where to get the picture, or the picture itself as a data URI." }),
  width: Type.Integer(),
  height: Type.Integer(),
  content_type: Type.String(),
  file_name: Type.String(),
  file_size: Type.Integer({ description: "Bytes." }),
});

/** The field `image_url` of a pipeline that is about one picture. */
export const pictureUrl = mediaUrl("image", "The picture: URL or data URI.");

export const syncMode = Type.Boolean({
  default: false,
  description: "Return pictures inside the answer, as data URIs, instead of as files.",
});

/** How the pictures of an answer come, to be spread into a pipeline's own fields. */
export const savedFields = (format: "png" | "jpeg" = "png") => ({
  output_format: choice(["png", "jpeg", "webp"], { default: format, description: "Format of the pictures." }),
  sync_mode: syncMode,
});

export type Picture = SavedFile & { width: number; height: number };

type Saving = {
  task: Pick<Task<unknown>, "save">;
  codec: ImageCodec;
  pixels: Pixels;
  /** Without extension; must be new in the job's folder. */
  name: string;
  format: ImageFormat;
  /** Give the bytes as a data URI and write no file. */
  inline: boolean;
};

export async function savePicture({ task, codec, pixels, name, format, inline }: Saving): Promise<Picture> {
  const { width, height } = pixels;
  const bytes = await codec.encode(pixels, format);
  const saved = await saveFile({ task, bytes, name: `${name}.${format}`, contentType: `image/${format}`, inline });
  return { ...saved, width, height };
}

export type SavedInput = { output_format: ImageFormat; sync_mode: boolean };

/** Saves pictures under a name as the input's own fields wish. */
export const saverOf =
  (task: Pick<Task<SavedInput>, "input" | "save">, codec: ImageCodec) =>
  async (pixels: Pixels, name: string): Promise<Picture> => {
    const { output_format: format, sync_mode: inline } = task.input;
    return await savePicture({ task, codec, pixels, name, format, inline });
  };

type Reading = {
  task: Pick<Task<unknown>, "media">;
  codec: ImageCodec;
  url: string;
  /** Name of the input's field, or the way to it, for the error. */
  field: string | readonly (string | number)[];
};

/** Throws `invalid_input` that names the field when the bytes are not a picture. */
export async function readPicture({ task, codec, url, field }: Reading): Promise<Pixels> {
  const bytes = await task.media(url);
  return await fieldFailures(field, () => codec.decode(bytes));
}

/** What is wrong with a file is wrong with the field that it came by. */
export async function fieldFailures<T>(field: Reading["field"], read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof ForecourtError) || !cause.problems) throw cause;
    const way = [field].flat();
    const problems = cause.problems.map((problem) => ({ ...problem, loc: ["body", ...way] }));
    throw new ForecourtError(cause.code, `${way.join(".")}: ${cause.message}`, { problems, cause });
  }
}

/** The picture behind the input's `image_url`. Throws as `readPicture`. */
export const readImageUrl = async (task: Pick<Task<{ image_url: string }>, "input" | "media">, codec: ImageCodec) =>
  await readPicture({ task, codec, url: task.input.image_url, field: "image_url" });
