// Failures survive the way through the database and between processes.
import { expect, test } from "bun:test";
import { ForecourtError, invariant, toFailure } from "../../src/core/errors.ts";

test("a failure comes back as the error that it was", () => {
  const problems = [{ loc: ["body", "x"], msg: "Field required", type: "missing" }];
  const error = new ForecourtError("invalid_input", "x: Field required", { problems, details: { limit: 1 } });
  const copy = ForecourtError.from(JSON.parse(JSON.stringify(toFailure(error))));
  expect(copy).toBeInstanceOf(ForecourtError);
  expect(copy.toFailure()).toEqual(error.toFailure());
});

test("what is not expected is internal, and keeps its words", () => {
  expect(toFailure(new TypeError("x is not a function"))).toEqual({ code: "internal", message: "x is not a function" });
  expect(toFailure("thrown text")).toEqual({ code: "internal", message: "thrown text" });
});

test("the cause stays with the error and does not travel", () => {
  const error = new ForecourtError("internal", "outer", { cause: new Error("inner") });
  expect(error.cause).toBeInstanceOf(Error);
  expect(toFailure(error)).toEqual({ code: "internal", message: "outer" });
});

test("a broken invariant throws with its sentence", () => {
  expect(() => invariant(false, "two and two are four")).toThrow("two and two are four");
});
