// Which points and boxes of a request belong to one thing.
import { wrongField } from "../../core/wrong-field.ts";
import type { Prompt } from "./sam.ts";

type GivenPoint = { x: number; y: number; label: number | string; object_id?: number };
type GivenBox = { x_min: number; y_min: number; x_max: number; y_max: number; object_id?: number };
type Given = { prompts: readonly GivenPoint[]; box_prompts: readonly GivenBox[] };

/**
 * One for each thing, in the order in which they are first named. Points without an `object_id` belong together, with the box
 * without one where it is the only one. Throws `invalid_input` when there is nothing, a thing has two boxes, or a box is
 * given to a model that takes points alone.
 */
export function promptsOf({ prompts, box_prompts: boxes }: Given, takesBoxes: boolean): Prompt[] {
  if (prompts.length === 0 && boxes.length === 0)
    throw wrongField("prompts", "Give a point of the thing here, or a box in box_prompts");
  if (boxes.length > 0 && !takesBoxes) throw wrongField("box_prompts", "This model takes points alone");
  const things = new Map<string, { points: Prompt["points"][number][]; box?: Prompt["box"] }>();
  const thing = (name: string) => {
    const known = things.get(name) ?? { points: [] };
    things.set(name, known);
    return known;
  };
  for (const { x, y, label, object_id: id } of prompts)
    thing(nameOf(id)).points.push({ x, y, label: Number(label) === 0 ? 0 : 1 });
  const unnamed = boxes.filter((each) => each.object_id === undefined).length;
  for (const [at, { x_min: left, y_min: top, x_max: right, y_max: bottom, object_id: id }] of boxes.entries()) {
    const known = thing(id === undefined && unnamed > 1 ? `box ${at}` : nameOf(id));
    if (known.box) throw wrongField("box_prompts", `The thing with the object_id ${id} has two boxes`);
    known.box = { left, top, right, bottom };
  }
  return [...things.values()];
}

const nameOf = (id: number | undefined) => (id === undefined ? "unnamed" : `thing ${id}`);
