// Pose in two steps: where people are, by a detector beside the model, and then the points of each of them.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { inFolder } from "../in-folder.ts";
import { loadDetector } from "../labelling/detector.ts";
import type { PointFinder, PoseModel } from "./finder.ts";
import { BODY_POINTS, type Person, pointNames } from "./people.ts";

/** Where a detector lies among the weights, in the layout that the pipeline detect-objects reads. */
const DETECTOR = "detector";
/** Each is a run of the graph. */
const MOST_PEOPLE = 64;

type Found = Pick<Person, "box" | "score">;

/** Throws `misconfigured` for a detector that knows no people. */
export async function topDown({ points, find }: PointFinder, assets: Assets): Promise<PoseModel> {
  const detect = assets.list(DETECTOR).length > 0 ? await loadPeople(inFolder(assets, DETECTOR)) : undefined;
  return {
    names: pointNames(typeof points === "number" && points > 0 ? points : BODY_POINTS),
    async find(picture, { boxes, threshold, signal }) {
      const given = boxes.map((box) => ({ box, score: 1 }));
      const found = given.length > 0 ? given : ((await detect?.(picture, threshold)) ?? [whole(picture)]);
      const people: Person[] = [];
      for (const each of found) {
        signal.throwIfAborted();
        people.push({ ...each, points: await find(picture, each.box) });
      }
      return people;
    },
  };
}

const whole = ({ width: w, height: h }: Pixels): Found => ({ box: { x: 0, y: 0, w, h }, score: 1 });

async function loadPeople(assets: Assets): Promise<(picture: Pixels, threshold: number) => Promise<Found[]>> {
  const { detect, labels } = await loadDetector(assets);
  if (!labels.some(isPerson))
    throw new ForecourtError("misconfigured", `the model in the folder "${DETECTOR}" has no class "person"`);
  return async (picture, threshold) =>
    (await detect(picture, threshold))
      .filter(({ label }) => isPerson(label))
      .slice(0, MOST_PEOPLE)
      .map(({ x, y, w, h, score }) => ({ box: { x, y, w, h }, score }));
}

const isPerson = (label: string) => label.toLowerCase() === "person";
