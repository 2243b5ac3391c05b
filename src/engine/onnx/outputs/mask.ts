// How much of each pixel belongs to something, or how far it is: a grey picture in the size of the one that was given.
import type { Pixels } from "../../../core/pipeline.ts";
import { choice, type Static, Type } from "../../../core/schema.ts";
import { pictureField } from "../../media/picture.ts";
import { createPause } from "../../pause.ts";
import { withAlpha } from "../../tensor/alpha.ts";
import { sigmoid } from "../activation.ts";
import { declare, defineOutput, tensorName } from "../kinds.ts";
import { asGiven, type Raster, rasterOf, toPixels } from "../planes.ts";
import { outputPort } from "../ports.ts";
import { resultOf } from "../results.ts";
import { wholeView } from "../view.ts";

const declared = declare("mask", {
  tensor: tensorName,
  layout: choice(["nchw", "nhwc"], { default: "nchw" }),
  channel: Type.Integer({ minimum: 0, default: 0, description: "Which of the graph's planes" }),
  activation: choice(["none", "sigmoid"], { default: "none" }),
  range: choice(["share", "stretch"], {
    default: "share",
    description: "share: 0 to 1 is black to white; stretch: the least value is black and the greatest white (depth)",
  }),
  invert: Type.Boolean({ default: false }),
  cutout: Type.Optional(
    Type.String({ description: "A further field of the answer: the picture, transparent where the mask is black" }),
  ),
});

type MaskOutput = Static<typeof declared>;

export const mask = defineOutput({
  declared,
  seesWhole: true,
  hasPictures: true,
  fields: (name, { cutout }) => ({
    [name]: pictureField,
    ...(cutout !== undefined && { [cutout]: pictureField }),
  }),
  async open(declaration, { name, graph }) {
    const port = outputPort(graph, { name: declaration.tensor, for: name });
    return async ({ results, view, savePicture }) => {
      const whole = wholeView(view, name);
      const grey = await asGiven(greyOf(rasterOf(resultOf(results, port), declaration.layout), declaration), whole);
      const { cutout } = declaration;
      return {
        [name]: await savePicture(grey, name),
        ...(cutout !== undefined && {
          [cutout]: await savePicture(await withAlpha(whole.picture, grey, createPause()), cutout),
        }),
      };
    };
  },
});

export function greyOf({ values, width, height, channels }: Raster, declaration: Omit<MaskOutput, "kind">): Pixels {
  const { channel, activation, range, invert } = declaration;
  const plane = Float32Array.from({ length: width * height }, (_, i) => values[i * channels + channel] ?? 0);
  const shares = activation === "sigmoid" ? plane.map(sigmoid) : plane;
  const [low, high] = range === "stretch" ? extremes(shares) : [0, 1];
  const scale = high > low ? 255 / (high - low) : 0;
  const grey = shares.map((share) => (invert ? high - share : share - low) * scale);
  return toPixels({ values: grey, width, height, channels: 1 });
}

/** Not by Math.min(...values): that many arguments do not fit on the stack. */
const extremes = (values: Float32Array): [number, number] => [
  values.reduce((least, value) => Math.min(least, value), Infinity),
  values.reduce((greatest, value) => Math.max(greatest, value), -Infinity),
];
