import { expect, test } from "bun:test";
import type { FromRunner } from "../../../src/engine/protocol.ts";
import { createOutgoing } from "../../../src/engine/runner/outgoing.ts";

const line = (message: string): FromRunner => ({ type: "log", level: "info", message });

test("messages of one turn of the event loop are delivered together and in order, later ones apart", async () => {
  const delivered: FromRunner[][] = [];
  const send = createOutgoing(async (messages) => void delivered.push(messages));
  void send(line("a"));
  await Promise.resolve();
  await send(line("b"));
  await send(line("c"));
  expect(delivered).toEqual([[line("a"), line("b")], [line("c")]]);
});

test("each is sent only once what carries it has left", async () => {
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const order: string[] = [];
  const send = createOutgoing(async () => {
    begin();
    await left;
    order.push("left");
  });
  const sent = send(line("a")).then(() => order.push("sent"));
  await begun;
  leave();
  await sent;
  expect(order).toEqual(["left", "sent"]);
});
