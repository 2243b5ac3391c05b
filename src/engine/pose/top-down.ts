// Pose in two steps: where people are, by a detector beside the model, and then the points of each of them.
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { loadPeopleFinder } from "./find-people.ts";
import type { Found, PointFinder, PoseModel } from "./finder.ts";
import { BODY_POINTS, type Person, pointNames } from "./people.ts";

/** Throws as `loadPeopleFinder`, and `misconfigured` for a number of points that has no names. */
export async function topDown({ points, find }: PointFinder, assets: Assets): Promise<PoseModel> {
  const findPeople = await loadPeopleFinder(assets);
  return {
    names: pointNames(typeof points === "number" && points > 0 ? points : BODY_POINTS),
    async find(picture, { boxes, threshold, signal }) {
      const given = boxes.map((box) => ({ box, score: 1 }));
      const found = given.length > 0 ? given : ((await findPeople?.(picture, threshold)) ?? [whole(picture)]);
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
