// What pipelines that make videos yield: how far one is, and at the end the video.
import type { ImageCodec, Pixels, Task } from "../../../core/pipeline.ts";
import type { Static, TObject } from "../../../core/schema.ts";
import { saveVideo } from "../../media/saved-video.ts";
import type { Denoised } from "../denoise.ts";
import type { videoFields } from "./video-fields.ts";

type Wanted = Static<TObject<typeof videoFields>> & { num_frames: number; num_inference_steps: number; fps: number };

export type Film = {
  task: Task<Wanted>;
  index: number;
  codec: ImageCodec;
  /** Yields each step that is done, returns the frames. */
  filming: AsyncGenerator<Denoised, AsyncGenerator<Pixels>>;
  seed: number;
  /** By performance.now(). */
  begunAt: number;
  signal: AbortSignal;
};

/** The most that it comes to. */
export const estimateFilm = ({ num_frames, fps, num_inference_steps: steps }: Wanted) => ({
  ...{ seconds: num_frames / fps, steps, requests: 1 },
});

export async function* filmSteps({ task, index, codec, filming, seed, begunAt, signal }: Film) {
  const { num_inference_steps: steps, fps, sync_mode: inline, video_output_type: type } = task.input;
  let next = await filming.next();
  for (; !next.done; next = await filming.next()) {
    const { at, of } = next.value;
    yield { index, step: { type: "progress" as const, at, of } };
  }
  const video = await saveVideo({ task, codec, type, frames: next.value, fps, name: "video", inline, signal });
  const value = { video, seed, timings: { inference: (performance.now() - begunAt) / 1000 } };
  yield { index, step: { type: "output" as const, value, units: { seconds: video.duration, steps, requests: 1 } } };
}
