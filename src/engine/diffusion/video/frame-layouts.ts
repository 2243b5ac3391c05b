// How the latents of a video's frames lie in a denoiser's tensors; for the loop they are one picture, as the frames are stacked.
import type { LatentLayout, LatentShape } from "../noise-predictor.ts";

/** Stacked from top to bottom, colour by colour: [rows, channels, frames, height, width] for the graph, as UNet3D takes it. */
export function stackedFrames(frames: number): LatentLayout {
  return {
    pack: (data, [rows, channels, height, width]) => ({
      data,
      shape: [rows, channels, frames, height / frames, width],
    }),
    unpack: (packed) => packed,
  };
}

/** Of `stackedFrames`: each frame's [channels, height, width]. */
export function* framesOfStack(
  latents: Float32Array,
  { frames, shape: [, channels, stacked, width] }: { frames: number; shape: LatentShape },
): Generator<{ latents: Float32Array; shape: LatentShape }> {
  const height = stacked / frames;
  const area = height * width;
  for (let frame = 0; frame < frames; frame++) {
    const own = new Float32Array(channels * area);
    for (let channel = 0; channel < channels; channel++) {
      const from = (channel * frames + frame) * area;
      own.set(latents.subarray(from, from + area), channel * area);
    }
    yield { latents: own, shape: [1, channels, height, width] };
  }
}

/**
 * One after the other: [rows, frames, channels, height, width] for the graph, as a spatio-temporal UNet takes it, with each frame's latents
 * followed by `beside`, of which each row has its own.
 */
export function framesBeside({ frames, beside }: { frames: number; beside: readonly Float32Array[] }): LatentLayout {
  return {
    pack(data, [rows, stacked, height, width]) {
      const own = (stacked / frames) * height * width;
      const further = beside[0]?.length ?? 0;
      const wide = own + further;
      const all = new Float32Array(rows * frames * wide);
      for (let frame = 0; frame < rows * frames; frame++) {
        all.set(data.subarray(frame * own, (frame + 1) * own), frame * wide);
        all.set(beside[Math.floor(frame / frames)] ?? new Float32Array(further), frame * wide + own);
      }
      return { data: all, shape: [rows, frames, wide / (height * width), height, width] };
    },
    unpack: (packed) => packed,
  };
}
