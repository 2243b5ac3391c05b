// A picture that a graph made, in the size of the one that was given where that makes sense; tiles joined.
import type { Pixels } from "../../../core/pipeline.ts";
import { choice, type Static, Type } from "../../../core/schema.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { pictureField } from "../../media/picture.ts";
import { expectSize } from "../../upscaling/upscaler.ts";
import { withColours } from "../brightness.ts";
import { channelsField } from "../inputs/planes.ts";
import { declare, defineOutput, type Outcome, tensorName } from "../kinds.ts";
import { asGiven, join, type Raster, rasterOf, toPixels } from "../planes.ts";
import { outputPort } from "../ports.ts";
import { resultOf, resultsOf } from "../results.ts";

const declared = declare("image", {
  tensor: tensorName,
  layout: choice(["nchw", "nhwc"], { default: "nchw" }),
  channels: channelsField,
  scale: Type.Number({ default: 255, description: "value · scale + offset is 0 for black and 255 for full" }),
  offset: Type.Number({ default: 0 }),
  size: choice(["given", "graph"], {
    default: "given",
    description:
      "given: borders removed, and in the size of the picture that came in; graph: what the graph gives. A picture seen in tiles grows by the graph's factor in any case",
  }),
  colours: choice(["graph", "given"], {
    default: "graph",
    description: "given: the graph makes the brightness only, colours are those of the picture that came in",
  }),
});

export const image = defineOutput({
  declared,
  hasPictures: true,
  fields: (name) => ({ [name]: pictureField }),
  expectSize({ tensor, layout }, { name, graph, first, view, field }) {
    const port = outputPort(graph, { name: tensor, for: name });
    expectSize(view.picture, rasterOf(resultOf([first], port), layout).width / view.seen.width, field);
  },
  async open(declaration, { name, graph }) {
    const port = outputPort(graph, { name: declaration.tensor, for: name });
    return async ({ results, view, savePicture }) => {
      const drawn = await assemble(resultsOf(results, port), view, declaration);
      const pixels = declaration.colours === "given" && view ? await withColours(drawn, view.picture) : drawn;
      return { [name]: await savePicture(pixels, name) };
    };
  },
});

async function assemble(
  results: readonly Tensor[],
  view: Outcome["view"],
  declaration: Static<typeof declared>,
): Promise<Pixels> {
  const rasters = results.values().map((tensor) => scaled(rasterOf(tensor, declaration.layout), declaration));
  if (view?.by === "tiles") return join(rasters, view);
  const [raster] = rasters;
  if (!raster) throw new RangeError("a run of a graph has a result");
  const pixels = toPixels(raster);
  return view && declaration.size === "given" ? await asGiven(pixels, view) : pixels;
}

function scaled(raster: Raster, { scale, offset, channels: order }: Static<typeof declared>): Raster {
  const { channels } = raster;
  const from = (i: number) => (order === "bgr" ? i + 2 - 2 * (i % channels) : i);
  return { ...raster, values: raster.values.map((_, i, all) => (all[from(i)] ?? 0) * scale + offset) };
}
