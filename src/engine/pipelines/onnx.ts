// Serves any plain graph: the model file says what goes in and what comes out (src/engine/onnx/declaration.ts).
import { ForecourtError } from "../../core/errors.ts";
import { type CountedUnit, definePipeline, type Pipeline, type Task } from "../../core/pipeline.ts";
import { type SavedInput, saverOf } from "../media/picture.ts";
import type { OnnxDeclaration } from "../onnx/declaration.ts";
import { inputKind } from "../onnx/inputs.ts";
import type { Begun, Encoded, Outcome } from "../onnx/kinds.ts";
import { outputKind } from "../onnx/outputs.ts";
import { schemasOf } from "../onnx/schemas.ts";
import { createSteps, stepsOf } from "../onnx/steps.ts";
import { notWhole } from "../onnx/view.ts";

type Values = Record<string, unknown>;

export const onnx = {
  summary: "Runs one graph as its model file describes.",
  /** Throws `misconfigured` for a model without a description of its graph, and for places in a picture that comes in tiles. */
  of({ onnx: declaration }: { onnx?: OnnxDeclaration }): Pipeline {
    if (declaration) {
      expectWhole(declaration);
      return pipelineOf(declaration);
    }
    throw new ForecourtError(
      "misconfigured",
      "the pipeline onnx needs the section onnx: what the graph takes and gives",
    );
  },
};

/** Else all of the tiles would be computed, and held, for nothing. */
function expectWhole({ inputs, outputs }: OnnxDeclaration): void {
  const picture = Object.values(inputs).find((each) => each.kind === "image");
  if (!picture?.tiles) return;
  for (const [name, declared] of Object.entries(outputs)) if (outputKind(declared).seesWhole) throw notWhole(name);
}

const pipelineOf = (declaration: OnnxDeclaration): Pipeline =>
  definePipeline({
    summary: onnx.summary,
    counts: Object.keys(mostUnits(declaration)) as CountedUnit[], // of an object with these keys
    ...schemasOf(declaration),
    estimate: () => mostUnits(declaration),
    async load(assets) {
      const graph = await assets.graph(declaration.graph);
      const inputs = await opened(declaration.inputs, (name, declared) =>
        inputKind(declared).open(declared, { name, graph, assets }),
      );
      const outputs = await opened(declaration.outputs, (name, declared) =>
        outputKind(declared).open(declared, { name, graph, assets }),
      );
      const steps = createSteps(graph, declaration);

      return async function* (tasks: Task<Values>[], signal) {
        for (const [index, task] of tasks.entries()) {
          const encoded: Encoded[] = [];
          const tiled: Pick<Begun, "view" | "field">[] = [];
          for (const [field, encode] of inputs) {
            const each = await encode(task.input[field], task, signal);
            encoded.push(each);
            if (each.view?.by === "tiles") tiled.push({ view: each.view, field });
          }
          const of = stepsOf(encoded);
          const results: Outcome["results"][number][] = [];
          for await (const result of steps({ inputs: encoded, signal })) {
            results.push(result);
            if (results.length === 1)
              for (const each of tiled) expectSizes(declaration, { ...each, first: result, graph });
            if (of > 1) yield { index, step: { type: "progress", at: results.length, of } };
          }
          // The fields are there wherever an output has pictures (schemasOf).
          const savePicture = saverOf(task as Task<Values & SavedInput>, assets.codec);
          const outcome = { ...factsOf(encoded), results, options: task.input, savePicture };
          const value: Values = {};
          for (const [, decode] of outputs) Object.assign(value, await decode(outcome));
          yield { index, step: { type: "output", value, units: unitsOf(outcome, of) } };
        }
      };
    },
  });

/** Before all of its tiles are computed, and held. */
function expectSizes({ outputs }: OnnxDeclaration, begun: Omit<Begun, "name">): void {
  for (const [name, declared] of Object.entries(outputs))
    outputKind(declared).expectSize?.(declared, { ...begun, name });
}

async function opened<Declared, Open>(
  declarations: Record<string, Declared>,
  open: (name: string, declared: Declared) => Promise<Open>,
): Promise<[string, Open][]> {
  const all: [string, Open][] = [];
  for (const [name, declared] of Object.entries(declarations)) all.push([name, await open(name, declared)]);
  return all;
}

/** What the outputs may ask of the inputs; of two pictures the first. */
function factsOf(encoded: readonly Encoded[]): Omit<Outcome, "results" | "options" | "savePicture"> {
  const view = encoded.find((each) => each.view)?.view;
  const hopSeconds = encoded.find((each) => each.hopSeconds !== undefined)?.hopSeconds;
  const tokens = encoded.find((each) => each.tokens)?.tokens;
  return { ...(view && { view }), ...(hopSeconds !== undefined && { hopSeconds }), ...(tokens && { tokens }) };
}

/** The largest picture that the codec reads; 8-bit samples at 8 kHz in the largest file that is taken. */
const MOST = { megapixels: (64 * 1024 * 1024) / 1e6, seconds: (256 * 1024 * 1024) / 8000 };

function mostUnits({ inputs }: OnnxDeclaration) {
  const kinds = Object.values(inputs).map(({ kind }) => kind);
  return {
    requests: 1,
    ...(kinds.includes("image") && { images: 1, megapixels: MOST.megapixels }),
    ...(kinds.includes("audio") && { seconds: MOST.seconds }),
  };
}

function unitsOf({ view, hopSeconds }: Outcome, steps: number) {
  const picture = view && { images: 1, megapixels: (view.picture.width * view.picture.height) / 1e6 };
  return { requests: 1, ...picture, ...(hopSeconds !== undefined && { seconds: hopSeconds * steps }) };
}
