// How many WebSockets there may be: handshakes without a network, since thousands of them are counted.
import { expect, test } from "bun:test";
import type { Key } from "../../../src/control/keys/key.ts";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { createSockets, type Upgrader } from "../../../src/gateway/fal/sockets.ts";
import type { SocketData } from "../../../src/gateway/socket.ts";

const nothing = { opened() {}, received() {}, closed() {} };

function stage() {
  const opened: SocketData[] = [];
  const socket = { send: () => 0, getBufferedAmount: () => 0, close: () => {} };
  const sockets = createSockets({
    faces: { realtime: () => nothing, http: () => nothing },
    // Its name is all that counts here.
    authenticate: (request) => ({ id: asId<KeyId>(request.headers.get("authorization") ?? "") }) as Key,
    publicUrl: "",
    report: (thrown) => thrown as never,
  });
  const server: Upgrader = {
    upgrade(_, { data }) {
      data.open(socket);
      opened.push(data);
      return true;
    },
  };
  return {
    /** The status of the refusal; undefined when there is none. */
    open(key: string): number | undefined {
      const headers = { upgrade: "websocket", authorization: key };
      const answer = sockets.enter(new Request("http://localhost/ws/test/echo", { headers }), server);
      return answer instanceof Response ? answer.status : undefined;
    },
    closeOne: () => opened.pop()?.close(socket, 1000, ""),
  };
}

/** How many it gets, and how it is refused then. */
function openAll({ open }: ReturnType<typeof stage>, key: string): [number, number] {
  for (let count = 0; ; count++) {
    const status = open(key);
    if (status !== undefined) return [count, status];
  }
}

test("one key cannot take all of a box's WebSockets, and the box has a bound of its own", () => {
  const on = stage();
  expect(openAll(on, "first")).toEqual([1_000, 429]);
  expect(openAll(on, "second")).toEqual([1_000, 503]);
  expect(on.open("third")).toBe(503);
  on.closeOne();
  expect(on.open("third")).toBeUndefined();
  expect(on.open("third")).toBe(503);
});
