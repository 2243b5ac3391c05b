// The grammar of the numbers that a JSON schema describes.
import { type Node, sequence } from "./grammar.ts";
import { integersIn } from "./integer-range.ts";
import * as json from "./json-grammar.ts";
import { multiplesIn } from "./multiples.ts";
import { numberIn, refused, type Schema, type Within } from "./whole-schema.ts";

/** `loose`: told of what is not kept to. */
type Around = Within & { loose: Set<string> };

export function integersOf(schema: Schema, around: Around): Node {
  const multiples = multiplesOf(schema, around, { hasFraction: false });
  if (multiples) return multiples;
  const limits = limitsOf(schema);
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = limits;
  if (Math.ceil(least) > Math.floor(most)) throw refused(around, `no integer is from ${least} to ${most}`);
  return integersIn(limits);
}

/** Of a number with a fraction only the sign is kept within limits, unless it is a multiple of something. */
export function numberOf(schema: Schema, around: Around): Node {
  const multiples = multiplesOf(schema, around, { hasFraction: true });
  if (multiples) return multiples;
  const { least, most } = limitsOf(schema);
  if (least === undefined && most === undefined) return json.number;
  if (!(least === 0 && most === undefined)) around.loose.add("minimum and maximum of numbers that are no integers");
  return least !== undefined && least >= 0 ? sequence(json.natural, json.fraction) : json.number;
}

/** Undefined where the schema asks for none, or for some that cannot be told from others. */
function multiplesOf(schema: Schema, around: Around, { hasFraction }: { hasFraction: boolean }): Node | undefined {
  const of = numberIn(schema.multipleOf);
  if (of === undefined) return undefined;
  const [least, most] = [numberIn(schema.minimum) ?? -Infinity, numberIn(schema.maximum) ?? Infinity];
  const [above, below] = [
    numberIn(schema.exclusiveMinimum) ?? -Infinity,
    numberIn(schema.exclusiveMaximum) ?? Infinity,
  ];
  const node = multiplesIn({ of, least, most, above, below, hasFraction });
  if (!node) throw refused(around, `no multiple of ${of} is within its bounds`);
  if (node !== "left") return node;
  around.loose.add("multipleOf");
  return undefined;
}

function limitsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema) {
  const above = numberIn(exclusiveMinimum);
  const below = numberIn(exclusiveMaximum);
  const least = Math.max(numberIn(minimum) ?? -Infinity, above === undefined ? -Infinity : Math.floor(above) + 1);
  const most = Math.min(numberIn(maximum) ?? Infinity, below === undefined ? Infinity : Math.ceil(below) - 1);
  return { ...(least > -Infinity && { least }), ...(most < Infinity && { most }) };
}
