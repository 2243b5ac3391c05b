// Where in space each pixel of a picture is, by MoGe-2: in metres, from the camera's place, with the steps after its graph
// that its authors take (moge/model/v2.py of microsoft/MoGe).
import { invariant } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import type { Pause } from "../pause.ts";
import { resize } from "../tensor/resize.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { pictureTensor } from "../vision/picture-tensor.ts";
import { recoverFocalShift, type SeenPoint } from "./focal-shift.ts";

export type PointMap = {
  width: number;
  height: number;
  /** x to the right, y down, z away from the camera, for each pixel. */
  points: Float32Array;
  /** Towards the camera, in the same axes; absent where the model gives none. */
  normals?: Float32Array;
  /** 1 where there is something, 0 for the sky and the like. */
  isThere: Uint8Array;
  /** Degrees. */
  fieldOfView: { horizontal: number; vertical: number };
};

export type LookWishes = {
  /** 0 to 9: how closely the model looks. */
  detail: number;
  /** Degrees across the picture; absent: the model says it. */
  fieldOfView?: number | undefined;
  pause: Pause;
};

export type PointMapModel = (picture: Pixels, wishes: LookWishes) => Promise<PointMap>;

/** Pieces that the model looks at, at the least and at the most detail: what it was trained with. */
const TOKENS = { least: 1200, most: 3600 };
/** Points of the map along an edge that say what the camera is. */
const SAMPLES = 64;
const OF = "point map model";

export async function loadPointMapModel(assets: Assets): Promise<PointMapModel> {
  const graph = await assets.graph("onnx/model.onnx");
  const image = requirePort(graph.inputs, { names: ["image"], of: OF });
  const tokens = graph.inputs.find(({ name }) => name === "num_tokens");
  const places = requirePort(graph.outputs, { names: ["points"], of: OF });
  const [height, width] = image.shape.slice(-2);

  return async (picture, { detail, fieldOfView, pause }) => {
    const isBound = typeof width === "number" && typeof height === "number";
    const seen = isBound ? await resize(picture, { width, height, kernel: "bilinear", pause }) : picture;
    const looks = Math.trunc(TOKENS.least + (detail / 9) * (TOKENS.most - TOKENS.least));
    const results = await graph.run({
      [image.name]: await pictureTensor(image, [seen], {
        do_resize: false,
        do_normalize: false,
        do_center_crop: false,
      }),
      ...(tokens && {
        [tokens.name]: tensorOf(
          tokens.dtype,
          tokens.shape.map(() => 1),
          [looks],
        ),
      }),
    });
    const floats = (name: string) => (results[name] ? toFloats(results[name]) : undefined);
    const points = floats(places.name)?.slice();
    invariant(points, "a graph gives each of its outputs");
    const map = { width: seen.width, height: seen.height, points, normals: floats("normal"), mask: floats("mask") };
    return inSpace(map, { scale: floats("metric_scale")?.[0] ?? 1, fieldOfView });
  };
}

type Raw = Pick<PointMap, "width" | "height" | "points"> & {
  normals: Float32Array | undefined;
  mask: Float32Array | undefined;
};

/** From points up to a shift in depth and a scale to points in metres on the rays of their pixels. */
function inSpace(raw: Raw, { scale, fieldOfView }: { scale: number; fieldOfView?: number | undefined }): PointMap {
  const { width, height, points, normals, mask } = raw;
  const diagonal = Math.hypot(width, height);
  const isThere = Uint8Array.from({ length: width * height }, (_, i) =>
    mask === undefined || (mask[i] ?? 0) > 0.5 ? 1 : 0,
  );
  const given = fieldOfView === undefined ? undefined : width / diagonal / Math.tan((fieldOfView * Math.PI) / 360);
  const { focal, shift } = recoverFocalShift(samplesOf(raw, isThere), given);
  // Of halves of the diagonal; in pixels.
  const length = (focal * diagonal) / 2;
  for (let i = 0; i < width * height; i++) {
    const depth = (points[3 * i + 2] ?? 0) + shift;
    if (!(depth > 0)) isThere[i] = 0;
    points[3 * i] = (((i % width) + 0.5 - width / 2) / length) * depth * scale;
    points[3 * i + 1] = ((Math.floor(i / width) + 0.5 - height / 2) / length) * depth * scale;
    points[3 * i + 2] = depth * scale;
  }
  const degrees = (edge: number) => (2 * Math.atan(edge / 2 / length) * 180) / Math.PI;
  return {
    width,
    height,
    points,
    ...(normals && { normals }),
    isThere,
    fieldOfView: { horizontal: degrees(width), vertical: degrees(height) },
  };
}

/** Evenly over the map, as torch picks the nearest. */
function samplesOf({ width, height, points }: Raw, isThere: Uint8Array): SeenPoint[] {
  const diagonal = Math.hypot(width, height);
  const samples: SeenPoint[] = [];
  for (let j = 0; j < SAMPLES; j++)
    for (let i = 0; i < SAMPLES; i++) {
      const [column, row] = [Math.floor((i * width) / SAMPLES), Math.floor((j * height) / SAMPLES)];
      const at = row * width + column;
      if (isThere[at] !== 1) continue;
      const [x = 0, y = 0, z = 0] = points.subarray(3 * at, 3 * at + 3);
      const u = (2 * column + 1 - width) / diagonal;
      samples.push({ x, y, z, u, v: (2 * row + 1 - height) / diagonal });
    }
  return samples;
}
