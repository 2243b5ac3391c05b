// Wraps sharp, the only file that imports it: pictures of any common format in, PNG, JPEG, WebP or GIF out.
import sharp, { type Sharp } from "sharp";
import { type FieldProblem, ForecourtError, invariant, toFailure } from "../../core/errors.ts";
import type { AnimationWish, Film, ImageCodec, ImageFormat, Pixels } from "../../core/pipeline.ts";
import { apngFilm } from "../media/apng.ts";
import { isCutOffGif } from "../media/gif.ts";
import { joinBytes } from "../media/join-bytes.ts";
import { unreadFormat } from "../media/unread-formats.ts";

/** Larger pictures are refused before their pixels are unpacked. */
const MAX_PIXELS = 64 * 1024 * 1024;

/** libvips' names of the loaders for JPEG, PNG, WebP, GIF, AVIF and TIFF. */
const READABLE = ["Jpeg", "Png", "Webp", "Nsgif", "Heif", "Tiff"];

export function createCodec(): ImageCodec {
  // One picture at a time and no cache: a runner must not compete with its own graph for cores and memory.
  sharp.cache(false);
  sharp.concurrency(1);
  // Formats of pixels only: SVG and PDF are programs, and what ImageMagick reads nobody knows.
  sharp.block({ operation: ["VipsForeignLoad"] });
  sharp.unblock({ operation: READABLE.map((format) => `VipsForeignLoad${format}`) });
  return { decode, encode, film, animate };
}

/** Upright (EXIF orientation applied), sRGB by its profile if it has one, first frame; RGB, or RGBA where it has transparency. */
async function decode(bytes: Uint8Array): Promise<Pixels> {
  if (isCutOffGif(bytes)) throw cutOff();
  try {
    const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: "error" });
    const { space, icc } = await picture.metadata();
    const isPlainInk = space === "cmyk" && icc === undefined;
    const upright = picture.autoOrient();
    const wanted = isPlainInk
      ? upright.pipelineColourspace("cmyk").toColourspace("cmyk")
      : upright.toColourspace("srgb");
    const { data, info } = await wanted.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    const values = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return isPlainInk ? fromInk(values, info) : asColour(values, info);
  } catch (cause) {
    throw unreadable(bytes, cause);
  }
}

/** Unpacked together, of a picture that moves: so many pixels, but at least one picture. */
const UNPACKED = 16 * 1024 * 1024;
/** GIFs that say less are meant to be shown so long, as browsers have it. */
const [SHORTEST_DELAY, USUAL_DELAY] = [11, 100];

async function film(bytes: Uint8Array): Promise<Film> {
  const apng = apngFilm(bytes, decode);
  if (apng) return apng;
  if (isCutOffGif(bytes)) throw cutOff();
  try {
    const {
      width,
      height,
      pages: count = 1,
      delay = [],
    } = await sharp(bytes, { limitInputPixels: MAX_PIXELS }).metadata();
    // Pages of a TIFF or of an AVIF are no film.
    if (count === 1 || delay.length === 0) return still(bytes);
    const delays = Array.from({ length: count }, (_, i) => delay[i] ?? 0);
    return {
      count,
      delays: delays.map((each) => (each < SHORTEST_DELAY ? USUAL_DELAY : each)),
      read: () => pagesOf(bytes, { count, together: Math.max(1, Math.floor(UNPACKED / (width * height))) }),
    };
  } catch (cause) {
    throw unreadable(bytes, cause);
  }
}

const still = (bytes: Uint8Array): Film => ({
  ...{ count: 1, delays: [0] },
  async *read() {
    yield await decode(bytes);
  },
});

/** A few at a time: all would fill the memory, and each alone would be unpacked from the first one on. */
async function* pagesOf(bytes: Uint8Array, { count, together }: { count: number; together: number }) {
  for (let page = 0; page < count; page += together) {
    const pages = Math.min(together, count - page);
    const several = await unpacked(bytes, { page, pages });
    const height = several.height / pages;
    const size = several.width * height * several.channels;
    for (let i = 0; i < pages; i++) yield { ...several, height, data: several.data.slice(i * size, (i + 1) * size) };
  }
}

async function unpacked(bytes: Uint8Array, which: { page: number; pages: number }): Promise<Pixels> {
  try {
    const pictures = sharp(bytes, { ...which, limitInputPixels: MAX_PIXELS, failOn: "error" });
    const { data, info } = await pictures
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    return asColour(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), info);
  } catch (cause) {
    throw unreadable(bytes, cause);
  }
}

type Raw = { width: number; height: number; channels: number };

function asColour(data: Uint8Array, { width, height, channels }: Raw): Pixels {
  if (channels === 3 || channels === 4) return { data, width, height, channels };
  const hasAlpha = channels === 2;
  const wide = hasAlpha ? 4 : 3;
  const colour = new Uint8Array(width * height * wide);
  for (let i = 0; i < width * height; i++) {
    colour.fill(data[i * channels] ?? 0, i * wide, i * wide + 3);
    if (hasAlpha) colour[i * 4 + 3] = data[i * 2 + 1] ?? 255;
  }
  return { data: colour, width, height, channels: wide };
}

/**
 * Inks of no known press, as Pillow has them (src/libImaging/Convert.c): each takes its share of the light away. libvips
 * would take a press of its own for it, in whose black there is some red.
 */
function fromInk(inks: Uint8Array, { width, height }: Raw): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const light = 255 - (inks[i * 4 + 3] ?? 0);
    for (let c = 0; c < 3; c++) data[i * 3 + c] = light - Math.round(((inks[i * 4 + c] ?? 0) * light) / 255);
  }
  return { data, width, height, channels: 3 };
}

/** As fal names them; the same as READABLE. */
const SUPPORTED = ["jpeg", "png", "webp", "gif", "avif", "tiff"];

function unreadable(bytes: Uint8Array, cause: unknown): ForecourtError {
  const { message } = toFailure(cause);
  const format = unreadFormat(bytes);
  if (format !== undefined) {
    const msg = `The file is ${format}, which is not read as an image. Please provide one of ${SUPPORTED.join(", ")}`;
    const ctx = { supported_formats: SUPPORTED };
    return refusal({ msg, type: "unsupported_image_format", ctx }, cause);
  }
  const msg = /pixel limit/i.test(message)
    ? `The image has more than ${MAX_PIXELS} pixels`
    : `Failed to load the image. Please ensure the image file is not corrupted and is one of ${SUPPORTED.join(", ")}`;
  return refusal({ msg, type: "image_load_error" }, cause);
}

const cutOff = () =>
  refusal({ msg: "Failed to load the image: the GIF is cut off before its end", type: "image_load_error" });

const refusal = (problem: Omit<FieldProblem, "loc">, cause?: unknown) =>
  new ForecourtError("invalid_input", problem.msg, { problems: [{ loc: ["body"], ...problem }], cause });

async function encode({ data, width, height, channels }: Pixels, format: ImageFormat): Promise<Uint8Array> {
  const picture = sharp(data, { raw: { width, height, channels } });
  const encoded = await formats[format](picture).toBuffer();
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}

/** Qualities are fal's (fal-protocol.md 12): speed over size for PNG, near-lossless JPEG. */
const formats: Record<ImageFormat, (picture: Sharp) => Sharp> = {
  png: (picture) => picture.png({ compressionLevel: 1 }),
  jpeg: (picture) =>
    picture.flatten({ background: "white" }).jpeg({ quality: 95, chromaSubsampling: "4:4:4", optimiseCoding: false }),
  webp: (picture) => picture.webp({ quality: 95 }),
  gif: (picture) => picture.gif(),
};

/** Of 10 and of 6: more is slower by far, and the files hardly smaller. */
const [GIF_EFFORT, WEBP_EFFORT] = [5, 2];

async function animate(frames: readonly Pixels[], { format, delays }: AnimationWish): Promise<Uint8Array> {
  const [first] = frames;
  invariant(first, "an animation without a frame");
  const { width, height: pageHeight, channels } = first;
  // One below the other, as libvips takes the pictures of a file.
  const data = joinBytes(frames.map((frame) => frame.data));
  const raw = { width, height: pageHeight * frames.length, channels, pageHeight };
  const pictures = sharp(data, { raw, limitInputPixels: false });
  const timed = { delay: [...delays], loop: 0 };
  const encoded = await (format === "gif"
    ? pictures.gif({ ...timed, effort: GIF_EFFORT })
    : pictures.webp({ ...timed, quality: 95, effort: WEBP_EFFORT })
  ).toBuffer();
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}
