// What a picture shows, as a surface in metres with the picture on it, by one look of a model of points (MoGe-2).
import { definePipeline, type Pixels, type Task } from "../../core/pipeline.ts";
import { type Static, Type } from "../../core/schema.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { saveMesh, savePoints } from "../media/mesh.ts";
import { pictureUrl, readImageUrl } from "../media/picture.ts";
import { savedFileField } from "../media/saved-file.ts";
import { type GridMesh, gridMesh } from "../mesh/grid-mesh.ts";
import { loadPointMapModel } from "../mesh/point-map.ts";
import { createPause, type Pause } from "../pause.ts";
import { rgbOf } from "../tensor/pixels.ts";
import { resize } from "../tensor/resize.ts";

const input = Type.Object({
  image_url: pictureUrl,
  max_size: Type.Integer({
    default: 800,
    minimum: 64,
    maximum: 1600,
    description: "The longer edge of the grid of points; a larger picture has this many, and lies on them in full.",
  }),
  resolution_level: Type.Integer({
    default: 9,
    minimum: 0,
    maximum: 9,
    description: "How closely the model looks: 9 takes three times as long as 0.",
  }),
  fov_x: Type.Optional(
    Type.Number({
      exclusiveMinimum: 1,
      exclusiveMaximum: 179,
      description: "The camera's angle across the picture, in degrees. Absent: the model finds it.",
    }),
  ),
  edge_threshold: Type.Number({
    default: 0.04,
    minimum: 0.001,
    maximum: 10,
    description:
      "The surface is cut where depths of neighbours differ by more than this share: between a thing and what is behind it.",
  }),
  output_point_cloud: Type.Boolean({
    default: false,
    description: "Give the points too, as a PLY file `point_cloud`.",
  }),
});

const metres = (description: string) => Type.Number({ description });
const degrees = Type.Object({ horizontal: Type.Number(), vertical: Type.Number() }, { description: "Degrees." });

const output = Type.Object({
  model_mesh: savedFileField("The surface as a GLB file: metres, the camera in the origin, looking along -z, y up."),
  point_cloud: Type.Optional(savedFileField("Its vertices with their colours as a PLY file.")),
  depth: Type.Object({ minimum: metres("How far the nearest point is, in metres."), maximum: metres("The farthest.") }),
  field_of_view: degrees,
  timings: Type.Record(Type.String(), Type.Number(), {
    description: "Seconds; `inference` is all but reading the picture and writing the files.",
  }),
});

export const imageToScene = definePipeline({
  summary: "Makes a 3D model of what a picture shows, as far as it can be seen.",
  counts: ["images"],
  input,
  output,
  estimate: () => ({ requests: 1, images: 1 }),
  async load(assets) {
    const look = await loadPointMapModel(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        const pause = createPause(signal);
        const { max_size: edge, resolution_level: detail, fov_x: fieldOfView, edge_threshold: jump } = task.input;
        const picture = await rgbOf(await readImageUrl(task, assets.codec), pause);
        await pause();
        const from = performance.now();
        const seen = await within(picture, edge, pause);
        const map = await look(seen, { detail, fieldOfView, pause });
        await pause();
        const mesh = await gridMesh(map, jump, pause);
        if (mesh.indices.length === 0) throw nothingNear();
        const timings = { inference: (performance.now() - from) / 1000 };
        await pause();
        const bytes = await assets.codec.encode(await within(picture, LARGEST_TEXTURE, pause), "jpeg");
        const texture = { uvs: uvsOf(mesh, map), bytes, contentType: "image/jpeg" } as const;
        const model_mesh = await saveMesh(task, { ...mesh, texture }, "glb");
        const value = {
          model_mesh,
          ...(await pointsOf(task, { mesh, seen: await within(picture, map, pause) })),
          depth: depthsOf(mesh),
          field_of_view: map.fieldOfView,
          timings,
        };
        yield { index, step: { type: "output", value, units: { requests: 1, images: 1 } } };
      }
    };
  },
});

/** What graphics cards and viewers take. */
const LARGEST_TEXTURE = 4096;

/** Smaller where an edge is longer than that, or of just that size. */
async function within(picture: Pixels, wanted: number | { width: number; height: number }, pause: Pause) {
  if (typeof wanted !== "number") {
    const { width, height } = wanted;
    return await resize(picture, { width, height, kernel: "bilinear", pause });
  }
  const scale = wanted / Math.max(picture.width, picture.height);
  if (scale >= 1) return picture;
  const [width = 1, height = 1] = [picture.width, picture.height].map((edge) => Math.max(1, Math.round(edge * scale)));
  return await resize(picture, { width, height, kernel: "bilinear", pause });
}

/** The middle of each vertex's pixel. */
const uvsOf = ({ pixels }: GridMesh, { width, height }: { width: number; height: number }) =>
  Float32Array.from({ length: pixels.length * 2 }, (_, i) => {
    const pixel = pixels[i >> 1] ?? 0;
    return i % 2 === 0 ? ((pixel % width) + 0.5) / width : (Math.floor(pixel / width) + 0.5) / height;
  });

type Cloud = { mesh: GridMesh; seen: Pixels };

async function pointsOf(task: Task<Static<typeof input>>, { mesh, seen }: Cloud) {
  if (!task.input.output_point_cloud) return {};
  const { pixels } = mesh;
  const colours = Uint8Array.from(
    { length: pixels.length * 3 },
    (_, i) => seen.data[3 * (pixels[Math.floor(i / 3)] ?? 0) + (i % 3)] ?? 0,
  );
  return { point_cloud: await savePoints(task, { ...mesh, colours }) };
}

function depthsOf({ positions }: GridMesh) {
  let [minimum, maximum] = [Infinity, -Infinity];
  for (let i = 2; i < positions.length; i += 3) {
    minimum = Math.min(minimum, -(positions[i] ?? 0));
    maximum = Math.max(maximum, -(positions[i] ?? 0));
  }
  return { minimum, maximum };
}

const nothingNear = () =>
  wrongField(
    "image_url",
    "The model sees no surface in the picture, only sky or the like: send one that shows something nearer, or a greater edge_threshold",
  );
