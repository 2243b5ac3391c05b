// Videos at the border of a pipeline: written frame by frame as they are made, as fal's answers carry them.
import type { ImageCodec, Pixels, Task } from "../../core/pipeline.ts";
import { choice, type Static, Type } from "../../core/schema.ts";
import { createPause } from "../pause.ts";
import { saveFile } from "./saved-file.ts";
import { encodeAnimation, expectAnimation, type Planned } from "./video/encode-animation.ts";
import { encodeVideo } from "./video/encode-video.ts";
import { expectH264 } from "./video/h264-encoder.ts";

export const videoField = Type.Object({
  url: Type.String({ description: "Where to get the video, or the video itself as a data URI." }),
  content_type: Type.String(),
  file_name: Type.String(),
  file_size: Type.Integer({ description: "Bytes." }),
  width: Type.Integer(),
  height: Type.Integer(),
  fps: Type.Number({ description: "Frames per second." }),
  duration: Type.Number({ description: "Seconds." }),
  num_frames: Type.Integer(),
});

/** fal's names, and WebP's by their pattern. */
const FORMATS = { "X264 (.mp4)": "mp4", "GIF (.gif)": "gif", "WEBP (.webp)": "webp" } as const;
type VideoOutputType = keyof typeof FORMATS;

export const videoOutputType = choice(["X264 (.mp4)", "GIF (.gif)", "WEBP (.webp)"], {
  default: "X264 (.mp4)",
  description:
    "MP4, or a picture that moves over and over: GIF has 256 colours in a frame and 50 frames a second at most. All are without sound.",
});

/** Before a video is made: throws `invalid_input` for what could not be written then. */
export function expectWritable(type: VideoOutputType, planned: Planned): void {
  const format = FORMATS[type];
  if (format === "mp4") expectH264(planned);
  else expectAnimation(format, planned);
}

type Saving = {
  task: Pick<Task<unknown>, "save">;
  codec: ImageCodec;
  type: VideoOutputType;
  /** Taken one at a time. */
  frames: AsyncIterable<Pixels> | Iterable<Pixels>;
  fps: number;
  /** Without ending; must be new in the job's folder. */
  name: string;
  /** Give the bytes as a data URI and write no file. */
  inline: boolean;
  signal: AbortSignal;
};

export async function saveVideo({
  task,
  codec,
  type,
  frames,
  fps,
  name,
  inline,
  signal,
}: Saving): Promise<Static<typeof videoField>> {
  const [format, pause] = [FORMATS[type], createPause(signal)];
  const video = await (format === "mp4"
    ? encodeVideo(frames, { fps, pause })
    : encodeAnimation(frames, { fps, format, codec, pause }));
  const { bytes, contentType, width, height, duration } = video;
  const file = await saveFile({ task, bytes, name: `${name}.${format}`, contentType, inline });
  return { ...file, width, height, fps, duration, num_frames: video.frames };
}
