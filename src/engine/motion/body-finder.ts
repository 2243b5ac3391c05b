// What finds a person's points in space in one picture after another, whichever model does it.
import type { Pixels } from "../../core/pipeline.ts";
import type { Limb } from "./limb.ts";
import type { Vector } from "./vectors.ts";

/** A person in one picture. */
export type Body = {
  /** In the order of the finder's names: metres from between the hips, x to the picture's right, y up, z to the viewer. */
  places: readonly Vector[];
  /** How sure the model is of each, 0 to 1. */
  scores: readonly number[];
  /** How sure it is that it sees a person. */
  score: number;
  /** Where the hips are in the picture, and how large a metre is there, in pixels. */
  hips: { x: number; y: number };
  pixelsPerMetre: number;
};

export type BodyFinder = {
  names: readonly string[];
  limbs: readonly Limb[];
  /**
   * Looks where the person was in the picture before, and everywhere if that is not known or nobody is there any more. `seconds`: when
   * it is shown, later than the one before.
   */
  follow(wishes: FollowWishes): (picture: Pixels, seconds: number) => Promise<Body | undefined>;
};

export type FollowWishes = {
  /** People found with less are none, 0 to 1. */
  threshold: number;
  /** Metres: how tall the person is, for models that do not tell how large they see things. */
  height: number;
};
