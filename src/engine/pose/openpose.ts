// OpenPose's body as ControlNets were trained on it: 18 joints, 17 limbs and their colours (lllyasviel/ControlNet, annotator/openpose;
// IDEA-Research/DWPose has the same of COCO's points).
import type { Colour } from "../vision/annotate.ts";

/** Of each joint: the point of COCO's 17 that it is; the neck lies between the shoulders. */
export const JOINTS = [
  ...[[0], [5, 6]], // nose, neck
  ...[[6], [8], [10], [5], [7], [9]], // shoulder, elbow, wrist: right, left
  ...[[12], [14], [16], [11], [13], [15]], // hip, knee, ankle: right, left
  ...[[2], [1], [4], [3]], // right eye, left eye, right ear, left ear
] as const;

/** Pairs of joints, in the order in which they are drawn. */
export const LIMBS = [
  ...[
    [1, 2],
    [1, 5],
    [2, 3],
    [3, 4],
    [5, 6],
    [6, 7],
  ],
  ...[
    [1, 8],
    [8, 9],
    [9, 10],
    [1, 11],
    [11, 12],
    [12, 13],
  ],
  ...[
    [1, 0],
    [0, 14],
    [14, 16],
    [0, 15],
    [15, 17],
  ],
] as const;

/** RGB; the first 17 are those of the limbs too. */
export const COLOURS: readonly Colour[] = [
  ...([
    [255, 0, 0],
    [255, 85, 0],
    [255, 170, 0],
    [255, 255, 0],
    [170, 255, 0],
    [85, 255, 0],
  ] as const),
  ...([
    [0, 255, 0],
    [0, 255, 85],
    [0, 255, 170],
    [0, 255, 255],
    [0, 170, 255],
    [0, 85, 255],
  ] as const),
  ...([
    [0, 0, 255],
    [85, 0, 255],
    [170, 0, 255],
    [255, 0, 255],
    [255, 0, 170],
    [255, 0, 85],
  ] as const),
];
