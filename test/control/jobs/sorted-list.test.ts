// A list in order: what is added in any order, removed, and asked for its place.
import { expect, test } from "bun:test";
import { createSortedList } from "../../../src/control/jobs/sorted-list.ts";

const listOf = (...items: number[]) => {
  const list = createSortedList<number>((a, b) => a - b);
  for (const item of items) list.add(item);
  return list;
};

test("items are in order, whatever the order in which they came", () => {
  expect(listOf(5, 1, 9, 3, 7).items).toEqual([1, 3, 5, 7, 9]);
});

test.each([
  [1, [3, 5]],
  [3, [1, 5]],
  [5, [1, 3]],
  [0, [1, 3, 5]],
  [4, [1, 3, 5]],
  [6, [1, 3, 5]],
])("without %d these are left: %p", (removed, left) => {
  const list = listOf(1, 3, 5);
  list.remove(removed);
  expect(list.items).toEqual(left);
});

test("the place of an item is told, whether it is there or not", () => {
  expect([0, 1, 2, 3, 5, 6].map(listOf(1, 3, 5).rank)).toEqual([0, 0, 1, 1, 2, 3]);
});
