// Pictures that follow each other: several files, one that moves, or a video. Each is unpacked only when it is looked at.
import { ForecourtError } from "../../core/errors.ts";
import type { ImageCodec, Pixels, Task } from "../../core/pipeline.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { fieldFailures, readPicture } from "./picture.ts";
import { readVideo } from "./video/read-video.ts";

export type Frames = {
  count: number;
  /** How many a second there are, on the whole. */
  fps: number;
  /** All of one size, in order. */
  read(): AsyncIterable<Frame>;
};

/** `seconds`: when it is shown, from the first one on. */
export type Frame = { pixels: Pixels; seconds: number };

/** Of files that do not say it themselves. */
const USUAL_FPS = 30;
/** Longer files are refused. */
export const MOST_SECONDS = 600;

export type FramesInput = {
  image_url?: string;
  image_urls?: string[];
  video_url?: string;
  fps?: number;
  max_frames: number;
};
type Reading = { task: Pick<Task<FramesInput>, "input" | "media">; codec: ImageCodec; signal: AbortSignal };

const FIELDS = ["image_url", "image_urls", "video_url"] as const;

/** Throws `invalid_input`, naming the field, for none or several of them, too many or too long, and what cannot be read. */
export async function readFrames(reading: Reading): Promise<Frames> {
  const { image_url: url, image_urls: urls, video_url: video, max_frames: most } = reading.task.input;
  const [given, another] = FIELDS.filter((field) => reading.task.input[field] !== undefined);
  if (given === undefined || another !== undefined) {
    const msg =
      "Give one of image_url, a picture or one that moves, image_urls, a picture for each frame, and video_url";
    throw wrongField(another ?? "image_url", msg);
  }
  if (video !== undefined) return await ofVideo(reading, { url: video, most });
  if (url !== undefined) return await oneFile(reading, { url, most });
  if (urls && urls.length > most) throw tooMany("image_urls", urls.length, most);
  return severalFiles(reading, urls ?? []);
}

/** Of one frame of a video: what is read of a picture is far more, but videos have many. */
const MOST_PIXELS = 4096 * 2304;

async function ofVideo({ task, signal }: Reading, { url, most }: { url: string; most: number }): Promise<Frames> {
  const bounds = { longestSeconds: MOST_SECONDS, mostPixels: MOST_PIXELS, mostFrames: most };
  const video = await readVideo({ task, url, field: "video_url", bounds, signal });
  // A file's times are of whole microseconds or so: 29.97 frames a second, not 29.970004.
  const fps = task.input.fps ?? (Math.round(video.fps * 1000) / 1000 || USUAL_FPS);
  return {
    ...{ count: Math.max(1, Math.round(video.fps * video.duration)), fps },
    async *read() {
      let at = 0;
      for await (const { pixels, seconds } of video.frames())
        yield { pixels, seconds: task.input.fps === undefined ? seconds : at++ / fps };
    },
  };
}

function severalFiles({ task, codec }: Reading, urls: readonly string[]): Frames {
  const fps = task.input.fps ?? USUAL_FPS;
  return {
    ...{ count: urls.length, fps },
    async *read() {
      let first: Pixels | undefined;
      for (const [i, url] of urls.entries()) {
        const picture = await readPicture({ task, codec, url, field: ["image_urls", i] });
        first ??= picture;
        if (picture.width !== first.width || picture.height !== first.height)
          throw wrongField(
            ["image_urls", i],
            `It has ${sizeOf(picture)}, the first frame ${sizeOf(first)}: give frames of one size`,
          );
        yield { pixels: picture, seconds: i / fps };
      }
    },
  };
}

const sizeOf = ({ width, height }: Pixels) => `${width} x ${height} pixels`;

async function oneFile({ task, codec }: Reading, { url, most }: { url: string; most: number }): Promise<Frames> {
  const bytes = await task.media(url);
  const film = await fieldFailures("image_url", () => codec.film(bytes));
  const { count } = film;
  if (count > most) throw tooMany("image_url", count, most);
  const wished = task.input.fps;
  let passed = 0;
  const starts = film.delays.map((delay) => {
    passed += delay;
    return (passed - delay) / 1000;
  });
  const total = wished === undefined ? passed / 1000 : count / wished;
  if (total > MOST_SECONDS)
    throw wrongField(
      "image_url",
      `It takes ${Math.round(total)} seconds, more than the ${MOST_SECONDS} that are looked at`,
    );
  const fps = wished ?? (count > 1 && passed > 0 ? (count * 1000) / passed : USUAL_FPS);
  const seconds = (at: number) => (wished === undefined && passed > 0 ? (starts[at] ?? 0) : at / fps);
  return { count, fps, read: () => named(film.read(), { field: "image_url", seconds }) };
}

type Naming = { field: string; seconds(at: number): number };

/** Failures while a file is unpacked name its field. */
async function* named(frames: AsyncIterable<Pixels>, { field, seconds }: Naming): AsyncIterable<Frame> {
  const each = frames[Symbol.asyncIterator]();
  try {
    for (let at = 0; ; at++) {
      const { done, value } = await fieldFailures(field, () => each.next());
      if (done) return;
      yield { pixels: value, seconds: seconds(at) };
    }
  } finally {
    await each.return?.();
  }
}

function tooMany(field: string, count: number, most: number): ForecourtError {
  const msg = `There are ${count} frames, more than the ${most} that max_frames allows`;
  const problem = { loc: ["body", field], msg, type: "sequence_too_long", ctx: { max_length: most } };
  return new ForecourtError("invalid_input", `${field}: ${msg}`, { problems: [problem] });
}
