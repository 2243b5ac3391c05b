// How a person moves in pictures, in three dimensions: points in metres for each frame, and a skeleton with its movement as BVH and GLB.
import { ForecourtError } from "../../core/errors.ts";
import { definePipeline, type Task } from "../../core/pipeline.ts";
import { choice, mediaUrl, type Static, Type } from "../../core/schema.ts";
import { type Frames, MOST_SECONDS, readFrames } from "../media/frames.ts";
import type { BodyFinder } from "../motion/body-finder.ts";
import { type Captured, capture, type Moment } from "../motion/capture.ts";
import { loadBodyFinder } from "../motion/load-body-finder.ts";
import { motionFields, saveMotion } from "../motion/motion-files.ts";
import { WAYS } from "../motion/stand.ts";
import { createPause } from "../pause.ts";

/** Of what is looked at in one request. */
const MOST_FRAMES = 1800;
/** Metres, for models that need to know how tall a person is and are not told. */
const USUAL_HEIGHT = 1.7;

const input = Type.Object({
  image_url: Type.Optional(mediaUrl("image", "A picture, or one that moves (GIF, WebP, APNG): URL or data URI.")),
  image_urls: Type.Optional(
    Type.Array(mediaUrl("image", "URL or data URI."), {
      ...{ minItems: 1, maxItems: MOST_FRAMES },
      description: "Instead: a picture for each frame, in order and of one size.",
    }),
  ),
  video_url: Type.Optional(
    mediaUrl("video", "Instead: a video, as MP4 or MOV (H.264), WebM or Matroska (VP8, VP9): URL or data URI."),
  ),
  fps: Type.Optional(
    Type.Number({
      ...{ minimum: 1, maximum: 240 },
      description: "Frames a second. Absent: as the video or the picture that moves says, or 30.",
    }),
  ),
  max_frames: Type.Integer({
    ...{ default: 600, minimum: 1, maximum: MOST_FRAMES },
    description: "More frames are refused, before any is looked at.",
  }),
  score_threshold: Type.Number({
    ...{ default: 0.5, minimum: 0, maximum: 1 },
    description:
      "Someone that the model is less sure of is not there; such frames are bridged from those before and after.",
  }),
  smooth: Type.Boolean({ default: true, description: "Take the trembling out, by a 1€ filter for each coordinate." }),
  min_cutoff: Type.Number({
    ...{ default: 0.1, minimum: 0.001, maximum: 100 },
    description: "Hertz; what the filter lets through of something that rests. Lower is smoother and later.",
  }),
  beta: Type.Number({
    ...{ default: 40, minimum: 0, maximum: 1000 },
    description: "How much more it lets through for each metre a second. Higher follows quick movements sooner.",
  }),
  root_motion: choice(WAYS, {
    default: "grounded",
    description:
      "grounded: the lowest joint of each frame is on the ground; fixed: the hips stay in one place; followed: they go up, down and sideways as the picture shows it.",
  }),
  height: Type.Optional(
    Type.Number({
      ...{ minimum: 0.3, maximum: 3 },
      description:
        "How tall the person is, in metres. Absent: as the model sees it; models that see no sizes take 1.7.",
    }),
  ),
  ...motionFields.input,
});

const point = Type.Object({
  x: Type.Number({ description: "Metres, to the right of the picture." }),
  y: Type.Number({ description: "Metres above the ground." }),
  z: Type.Number({ description: "Metres towards the viewer." }),
  score: Type.Number({ description: "How sure the model is that the point is seen, 0 to 1; 0 where it was bridged." }),
});

const output = Type.Object({
  ...motionFields.output,
  joint_names: Type.Array(Type.String(), {
    description: "MediaPipe's 33, or COCO-WholeBody's 133; left and right are the person's own.",
  }),
  frames: Type.Array(
    Type.Object({
      time: Type.Number({ description: "Seconds." }),
      found: Type.Boolean({ description: "false: nobody was, and the points lie between those before and after." }),
      joints: Type.Array(point, { description: "In the order of `joint_names`." }),
    }),
  ),
  missing_frames: Type.Array(Type.Integer(), {
    description: "Frames that were given in which nobody was found, from 0.",
  }),
  height: Type.Number({ description: "Metres, of the skeleton at rest." }),
});

type CaptureInput = Static<typeof input>;

export const captureMotion = definePipeline({
  summary: "Captures how a person moves, in three dimensions, as a skeleton with its animation.",
  counts: ["images", "seconds"],
  input,
  output,
  estimate({ image_urls, fps, max_frames }) {
    const images = image_urls?.length ?? max_frames;
    return { requests: 1, images, seconds: image_urls || fps ? images / (fps ?? 30) : MOST_SECONDS };
  },
  async load(assets) {
    const finder = await loadBodyFinder(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const frames = await readFrames({ task, codec: assets.codec, signal });
        const looking = look({ task, finder, frames, signal });
        let next = await looking.next();
        for (; !next.done; next = await looking.next())
          yield { index, step: { type: "progress" as const, at: next.value, of: Math.max(next.value, frames.count) } };
        const value = await answer(task, { moments: next.value, finder, fps: frames.fps });
        const seconds = value.num_frames / value.fps;
        yield {
          index,
          step: { type: "output" as const, value, units: { requests: 1, images: frames.count, seconds } },
        };
      }
    };
  },
});

type Looking = { task: Task<CaptureInput>; finder: BodyFinder; frames: Frames; signal: AbortSignal };

/** Yields how many frames have been looked at. Throws `invalid_input` where nobody is in any of them. */
async function* look({ task, finder, frames, signal }: Looking): AsyncGenerator<number, Moment[]> {
  const { score_threshold: threshold, height = USUAL_HEIGHT } = task.input;
  const find = finder.follow({ threshold, height });
  const pause = createPause(signal);
  const moments: Moment[] = [];
  for await (const { pixels, seconds } of frames.read()) {
    await pause();
    signal.throwIfAborted();
    moments.push({ seconds, body: await find(pixels, seconds) });
    yield moments.length;
  }
  if (moments.every(({ body }) => body === undefined)) throw nobody(task.input);
  return moments;
}

function nobody({ image_urls, video_url }: CaptureInput): ForecourtError {
  const field = image_urls ? "image_urls" : video_url ? "video_url" : "image_url";
  const msg = "Nobody was found in any frame: show one person, whole if possible, or lower score_threshold";
  const problem = { loc: ["body", field], msg, type: "value_error" };
  return new ForecourtError("invalid_input", `${field}: ${msg}`, { problems: [problem] });
}

type Answering = { moments: readonly Moment[]; finder: BodyFinder; fps: number };

async function answer(task: Task<CaptureInput>, { moments, finder, fps }: Answering) {
  const { smooth, min_cutoff: minCutoff, beta, root_motion: way, height } = task.input;
  const captured = capture(moments, finder, {
    ...{ fps, way },
    ...(smooth && { smoothing: { minCutoff, beta } }),
    ...(height !== undefined && { height }),
  });
  const missing = moments.flatMap(({ body }, i) => (body ? [] : [i]));
  if (missing.length > 0)
    task.log(`Nobody was found in ${missing.length} of ${moments.length} frames; they are bridged: ${listed(missing)}`);
  return {
    ...(await saveMotion(task, captured.motion)),
    joint_names: [...finder.names],
    frames: captured.moments.map(told),
    missing_frames: missing,
    height: short(captured.height),
  };
}

const LISTED = 20;
const listed = (frames: readonly number[]) =>
  `${frames.slice(0, LISTED).join(", ")}${frames.length > LISTED ? "..." : ""}`;

const told = ({ seconds, isFound, places, scores }: Captured["moments"][number]) => ({
  ...{ time: short(seconds), found: isFound },
  joints: places.map(([x, y, z], i) => ({
    ...{ x: short(x), y: short(y), z: short(z), score: short(scores[i] ?? 0) },
  })),
});

/** Tenths of a millimetre: an answer of many frames is long enough. */
const short = (value: number) => Math.round(value * 10_000) / 10_000;
