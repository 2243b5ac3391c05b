import { expect, test } from "bun:test";
import { createInbox } from "../../../src/gateway/fal/realtime/inbox.ts";
import { createWaitingRoom } from "../../../src/gateway/fal/waiting-room.ts";

test("what waits for several connections is bounded together, and what is dropped, taken or left makes room", () => {
  const room = createWaitingRoom({ most: 10 });
  const [one, other] = [1, 2].map(() => createInbox<string>({ most: 2, mostBytes: 8, room }));
  expect(one?.put("a", 4)).toBe(true);
  expect(one?.put("b", 4)).toBe(true);
  expect(other?.put("c", 4)).toBe(false);
  expect(other?.size).toBe(0);
  expect(one?.put("d", 2)).toBe(true); // drops a
  expect(other?.put("c", 4)).toBe(true);
  expect([one?.take(), one?.take(), one?.take()]).toEqual(["b", "d", undefined]);
  other?.clear();
  expect(room.enter(10)).toBe(true);
});
