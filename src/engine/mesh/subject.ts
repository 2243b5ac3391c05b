// One thing alone on grey, as TripoSR was trained on it (tsr/utils.py and run.py of VAST-AI-Research/TripoSR).
import type { Pixels } from "../../core/pipeline.ts";
import { boundsOf } from "../tensor/alpha.ts";
import { crop } from "../tensor/crop.ts";

/** What is transparent becomes grey: before white, the model sees walls. The reference rounds down. */
export function onGrey({ data, width, height, channels }: Pixels): Pixels {
  const grey = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const share = channels === 4 ? (data[i * 4 + 3] ?? 0) / 255 : 1;
    for (let c = 0; c < 3; c++) {
      const value = (data[i * channels + (channels === 1 ? 0 : c)] ?? 0) / 255;
      grey[i * 3 + c] = 255 * (value * share + (1 - share) * 0.5);
    }
  }
  return { data: grey, width, height, channels: 3 };
}

/**
 * A square whose edge the subject of a picture with transparency fills by `ratio`; undefined where it has none. Pixels
 * count from `threshold` on. The subject's last row and column are left out, as the reference does.
 */
export function frameSubject(picture: Pixels, { ratio, threshold }: { ratio: number; threshold: number }) {
  const bounds = boundsOf(alphaOf(picture), threshold);
  if (!bounds) return undefined;
  const width = Math.max(1, bounds.width - 1);
  const height = Math.max(1, bounds.height - 1);
  const size = Math.max(width, height);
  const whole = Math.trunc(size / ratio);
  const before = (inner: number, outer: number) => Math.floor((outer - inner) / 2);
  const subject = crop(picture, { ...bounds, width, height });
  const square = crop(subject, { left: -before(width, size), top: -before(height, size), width: size, height: size });
  return crop(square, { left: -before(size, whole), top: -before(size, whole), width: whole, height: whole });
}

/** Whether anything of a picture is transparent. */
export const hasTransparency = (picture: Pixels): boolean =>
  picture.channels === 4 && alphaOf(picture).data.some((value) => value < 255);

function alphaOf({ data, width, height }: Pixels): Pixels {
  const alpha = new Uint8Array(width * height);
  for (let i = 0; i < alpha.length; i++) alpha[i] = data[i * 4 + 3] ?? 0;
  return { data: alpha, width, height, channels: 1 };
}
