// Videos at the border of a pipeline: written frame by frame as they are made, as fal's answers carry them.
import type { Pixels, Task } from "../../core/pipeline.ts";
import { type Static, Type } from "../../core/schema.ts";
import { createPause } from "../pause.ts";
import { saveFile } from "./saved-file.ts";
import { encodeVideo } from "./video/encode-video.ts";

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

type Saving = {
  task: Pick<Task<unknown>, "save">;
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
  frames,
  fps,
  name,
  inline,
  signal,
}: Saving): Promise<Static<typeof videoField>> {
  const video = await encodeVideo(frames, { fps, pause: createPause(signal) });
  const { bytes, contentType, width, height, duration } = video;
  const file = await saveFile({ task, bytes, name: `${name}.mp4`, contentType, inline });
  return { ...file, width, height, fps, duration, num_frames: video.frames };
}
