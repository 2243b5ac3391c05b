// Fields of the input about a picture to begin with and the part of it to draw anew, and what was given in them.
import { ForecourtError } from "../../core/errors.ts";
import type { ImageCodec, Task } from "../../core/pipeline.ts";
import { mediaUrl, Type } from "../../core/schema.ts";
import { readPicture } from "../media/picture.ts";
import type { GivenPicture } from "./diffusion-model.ts";

const strength = Type.Number({
  default: 0.95,
  minimum: 0.01,
  maximum: 1,
  description: "How much to change the picture: of the steps this share is taken.",
});

const mask = mediaUrl(
  "image",
  "White where to draw anew, black where to keep; or transparent where to draw anew. URL or data URI.",
);

/** For pipelines that cannot do without a picture. */
export const pictureFields = {
  image_url: mediaUrl("image", "The picture to begin with: URL or data URI."),
  strength,
};

export const maskedFields = { ...pictureFields, mask_url: mask };

/** For pipelines that draw from something else as well. */
export const optionalPictureFields = {
  image_url: Type.Optional(mediaUrl("image", "A picture to begin with instead of noise: URL or data URI.")),
  mask_url: Type.Optional(mask),
  strength,
};

type Reading = {
  task: Pick<Task<{ image_url?: string; mask_url?: string; strength: number }>, "input" | "media">;
  codec: ImageCodec;
};

/** Undefined where no picture was given. Throws `invalid_input` for a mask without one. */
export async function readGiven({ task, codec }: Reading): Promise<GivenPicture | undefined> {
  const { image_url, mask_url, strength } = task.input;
  if (image_url === undefined) {
    if (mask_url === undefined) return undefined;
    throw maskAlone();
  }
  const picture = await readPicture({ task, codec, url: image_url, field: "image_url" });
  const part =
    mask_url === undefined ? {} : { mask: await readPicture({ task, codec, url: mask_url, field: "mask_url" }) };
  return { picture, ...part, strength };
}

function maskAlone(): ForecourtError {
  const msg = "Field required: the mask is of a picture, which is to be given too";
  return new ForecourtError("invalid_input", `image_url: ${msg}`, {
    problems: [{ loc: ["body", "image_url"], msg, type: "missing" }],
  });
}
