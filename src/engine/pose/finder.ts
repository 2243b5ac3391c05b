// What finds people's points in a picture, whichever model does it.
import type { Pixels } from "../../core/pipeline.ts";
import type { Box, Keypoint, Person } from "./people.ts";

export type PoseModel = {
  /** Names of the points that each person has, in order: COCO's 17 or COCO-WholeBody's 133. */
  names: readonly string[];
  /**
   * Best first, or in the order of the boxes. Throws `invalid_input` for boxes given to a model that finds people itself, the
   * signal's reason when aborted.
   */
  find(picture: Pixels, wishes: PoseWishes): Promise<Person[]>;
};

export type PoseWishes = {
  /** Where people are, where that is known: none are looked for elsewhere then. */
  boxes: readonly Box[];
  /** People found with less are dropped, 0 to 1. */
  threshold: number;
  signal: AbortSignal;
};

/** Finds the points of the one person in a box. */
export type PointFinder = {
  /** How many, as the graph's port says it; what is no number is as many as a body has. */
  points: number | string | undefined;
  find(picture: Pixels, box: Box): Promise<Keypoint[]>;
};

export type Found = Pick<Person, "box" | "score">;
/** Boxes around people whose score is above the threshold, best first. */
export type PeopleFinder = (picture: Pixels, threshold: number) => Promise<Found[]>;
