// A picture as a graph wants it: size, order of colours, layout, range of values; large ones in tiles if so declared.
import { ForecourtError } from "../../../core/errors.ts";
import type { Pixels } from "../../../core/pipeline.ts";
import { choice, mediaUrl, type Static, Type } from "../../../core/schema.ts";
import { readPicture } from "../../media/picture.ts";
import { tensorOf } from "../../tensor/tensor.ts";
import { mirroredPart, tilesOf } from "../../tensor/tiles.ts";
import { fitPicture } from "../fit-picture.ts";
import { declare, defineInput, tensorName } from "../kinds.ts";
import { inputPort } from "../ports.ts";
import type { Size, View } from "../view.ts";
import { channelsField, toPlanes } from "./planes.ts";

const edge = (description: string) => Type.Optional(Type.Integer({ minimum: 1, maximum: 8192, description }));

const declared = declare("image", {
  tensor: tensorName,
  description: Type.String({ default: "The picture: URL or data URI.", description: "For the API's documentation" }),
  width: edge("Pixels that the graph sees; absent: the picture's own"),
  height: edge("Pixels that the graph sees; absent: the picture's own"),
  longest: edge("Where width and height are free: larger pictures are made smaller until their longer edge is this"),
  multipleOf: Type.Integer({
    minimum: 1,
    default: 1,
    description: "Where width and height are free: both are multiples",
  }),
  fit: choice(["stretch", "cover", "contain", "corner"], {
    default: "stretch",
    description:
      "stretch: as it comes; cover: edges cut away; contain: borders all around; corner: borders right and below",
  }),
  kernel: choice(["nearest", "bilinear", "bicubic", "lanczos3"], { default: "bilinear" }),
  fill: Type.Integer({ minimum: 0, maximum: 255, default: 0, description: "Grey of the borders" }),
  channels: channelsField,
  layout: choice(["nchw", "nhwc"], { default: "nchw" }),
  scale: Type.Number({
    default: 1 / 255,
    description: "Each value (0 to 255) times this, less the mean, by the deviation",
  }),
  mean: Type.Array(Type.Number(), { default: [], description: "One for each channel, or one for all; absent: 0" }),
  deviation: Type.Array(Type.Number(), { default: [], description: "One for each channel, or one for all; absent: 1" }),
  tiles: Type.Optional(
    Type.Object(
      { overlap: Type.Integer({ minimum: 0, default: 16, description: "Pixels that neighbouring tiles share" }) },
      {
        additionalProperties: false,
        description: "Instead of being resized, the picture is seen piece by piece, each of width x height",
      },
    ),
  ),
});

export type ImageInput = Static<typeof declared>;

export const image = defineInput({
  declared,
  field: ({ description }) => mediaUrl("image", description),
  async open(declaration, { name, graph, assets }) {
    if (declaration.tiles && (declaration.width === undefined || declaration.height === undefined))
      throw new ForecourtError("misconfigured", `onnx.inputs.${name}: tiles need width and height`);
    const port = inputPort(graph, { name: declaration.tensor, for: name });
    return async (url, task) => {
      const picture = await readPicture({ task, codec: assets.codec, url: String(url), field: name });
      const { view, piece } = await look(picture, declaration);
      return {
        view,
        steps: view.by === "tiles" ? view.tiles.length : 1,
        feeds(step) {
          const { values, channels } = toPlanes(piece(step), declaration);
          const { width, height } = view.seen;
          const shape = declaration.layout === "nchw" ? [1, channels, height, width] : [1, height, width, channels];
          return { [port.name]: tensorOf(port.dtype, shape, values) };
        },
      };
    };
  },
});

/** `piece` gives what the graph sees at a step. */
async function look(picture: Pixels, declaration: ImageInput): Promise<{ view: View; piece(step: number): Pixels }> {
  const { width, height, tiles: tiling, kernel, fill } = declaration;
  if (tiling && width !== undefined && height !== undefined) return inTiles(picture, { width, height }, tiling.overlap);
  const { view, pixels } = await fitPicture(picture, sizeWish(declaration), { kernel, fill });
  return { view, piece: () => pixels };
}

const sizeWish = ({ width, height, longest, multipleOf, fit }: ImageInput) => ({
  multipleOf,
  fit,
  ...(width !== undefined && { width }),
  ...(height !== undefined && { height }),
  ...(longest !== undefined && { longest }),
});

function inTiles(picture: Pixels, tile: Size, overlap: number): { view: View; piece(step: number): Pixels } {
  const tiles = tilesOf(picture, tile, { overlap });
  return {
    view: { by: "tiles", picture, seen: tile, tiles, overlap },
    piece: (step) => mirroredPart(picture, { ...(tiles[step] ?? { left: 0, top: 0 }), ...tile }),
  };
}
