// A limb of a figure as data: where its joint is among the points that a model finds, and what tells how it is turned.
import { cross, direction, length, minus, type Vector, ZERO } from "./vectors.ts";

/** Where a point of the body is, by its name; all are known. */
export type Points = (name: string) => Vector;
/** Where something leads, in the picture of the world that the points give; of any length. */
export type Lead = (at: Points) => Vector;

export type Limb = {
  name: string;
  /** Undefined for the first one. */
  parent?: string;
  /** The joint that it turns about. */
  joint: Lead;
  /** From its parent's joint to its own at rest, of length 1. */
  rest: Vector;
  /** Which direction, at rest, leads where: followed exactly. */
  main: { rest: Vector; to: Lead };
  /**
   * The same for one square to it: followed as far as the first leaves it free. `hinge`: it is the axis of a joint that bends about it
   * alone, so that it says the less the straighter the limb is.
   */
  side?: { rest: Vector; to: Lead; hinge?: true };
  /** Where it ends, at rest, and how far away. */
  tip?: { rest: Vector; span: (at: Points) => number };
};

/** From one point to another. */
export const lead =
  (from: string, to: string): Lead =>
  (at) =>
    minus(at(to), at(from));

export const spanOf = (from: string, to: string) => (at: Points) => length(minus(at(to), at(from)));

/** The axis that a limb of two parts bends about, as long as it is bent: the sine of the angle. */
export const hinge =
  (from: string, over: string, to: string): Lead =>
  (at) => {
    const [upper, lower] = [direction(minus(at(over), at(from))), direction(minus(at(to), at(over)))];
    return upper && lower ? cross(upper, lower) : ZERO;
  };
