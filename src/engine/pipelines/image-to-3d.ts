// A thing of which there is one picture, as a mesh that can be turned around. Fields are those of fal-ai/triposr
// (fal-protocol.md 12).
import { type Assets, definePipeline, type Pixels, type Task } from "../../core/pipeline.ts";
import { choice, type Static, Type } from "../../core/schema.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { inFolder } from "../in-folder.ts";
import { loadMatting, type Matting, VISIBLE } from "../matting/matte.ts";
import { saveMesh } from "../media/mesh.ts";
import { pictureUrl, readImageUrl } from "../media/picture.ts";
import { savedFileField } from "../media/saved-file.ts";
import { reconstruct } from "../mesh/reconstruct.ts";
import { frameSubject, hasTransparency, onGrey } from "../mesh/subject.ts";
import { loadTripoSr } from "../mesh/triposr.ts";
import { createPause, type Pause } from "../pause.ts";
import { withAlpha } from "../tensor/alpha.ts";

const input = Type.Object({
  image_url: { ...pictureUrl, description: "A picture of one thing: URL or data URI." },
  output_format: choice(["glb", "obj"], { default: "glb", description: "Format of the mesh." }),
  do_remove_background: Type.Boolean({
    default: true,
    description:
      "Cut the thing out and put it in the middle; a picture with transparent parts is cut out already. false: the picture is taken as it is, transparent parts grey.",
  }),
  foreground_ratio: Type.Number({
    default: 0.9,
    minimum: 0.5,
    maximum: 1,
    description: "How much of the picture's edge the thing that was cut out fills.",
  }),
  mc_resolution: Type.Integer({
    default: 256,
    minimum: 32,
    maximum: 1024,
    description:
      "Points along an edge of the grid in which the surface is found: twice as many, four times the triangles.",
  }),
});

const output = Type.Object({
  model_mesh: savedFileField("The mesh, coloured by vertex, y up and the picture's side to the front (+z)."),
  timings: Type.Record(Type.String(), Type.Number(), {
    description: "Seconds; `inference` is all but reading the picture and writing the file.",
  }),
});

type Wishes = Static<typeof input>;

/** A cutter of subjects, in the layout that remove-background reads. */
const MATTING = "matting";

export const imageTo3d = definePipeline({
  summary: "Makes a 3D model of the thing in a picture.",
  counts: [],
  input,
  output,
  estimate: () => ({ requests: 1 }),
  async load(assets) {
    const see = await loadTripoSr(assets);
    const matting = await mattingOf(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        const pause = createPause(signal);
        const picture = await readImageUrl(task, assets.codec);
        signal.throwIfAborted();
        const from = performance.now();
        const scene = await see(await subjectOf(task, picture, { matting, pause }));
        signal.throwIfAborted();
        const making = reconstruct(scene, { resolution: task.input.mc_resolution, pause });
        let next = await making.next();
        for (; !next.done; next = await making.next())
          yield { index, step: { type: "progress" as const, at: Math.round(100 * next.value), of: 100 } };
        if (next.value.indices.length === 0) throw nothingSeen();
        const timings = { inference: (performance.now() - from) / 1000 };
        const model_mesh = await saveMesh(task, next.value, task.input.output_format);
        yield { index, step: { type: "output" as const, value: { model_mesh, timings }, units: { requests: 1 } } };
      }
    };
  },
});

const mattingOf = async (assets: Assets): Promise<Matting | undefined> =>
  assets.has(`${MATTING}/onnx/model.onnx`) ? await loadMatting(inFolder(assets, MATTING)) : undefined;

type Cutting = { matting: Matting | undefined; pause: Pause };

async function subjectOf({ input }: Pick<Task<Wishes>, "input">, picture: Pixels, { matting, pause }: Cutting) {
  const { do_remove_background: cuts, foreground_ratio: ratio } = input;
  if (!cuts) return onGrey(picture);
  const isCut = hasTransparency(picture);
  if (!isCut && !matting) throw noMatting();
  const cutOut = isCut || !matting ? picture : await withAlpha(picture, await matting.matte(picture, { pause }), pause);
  const framed = frameSubject(cutOut, { ratio, threshold: isCut ? 1 : VISIBLE });
  if (!framed) throw noSubject(isCut);
  return onGrey(framed);
}

const noMatting = () =>
  wrongField(
    "image_url",
    'The picture is not cut out, and this model has no background remover in its folder "matting": send one with a transparent background, or do_remove_background: false for a thing on plain grey',
  );

const noSubject = (isCut: boolean) =>
  wrongField(
    "image_url",
    isCut
      ? "All of the picture is transparent: send one with something in it"
      : "Nothing in the picture stands out from its background: send one of a single thing, or one with a transparent background",
  );

const nothingSeen = () =>
  wrongField(
    "image_url",
    "The model sees no solid thing in the picture: send one of a single thing, from slightly above and whole",
  );
