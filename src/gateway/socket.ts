// WebSockets as faces see them: whole messages in, messages out, and whether the client keeps up.

export type Message = string | Uint8Array;

export type Socket = {
  /** After the end nothing is sent. */
  send(message: Message): void;
  /** Bytes that the client has not taken yet. */
  unsent(): number;
  close(code: number, reason: string): void;
};

/** One connection's life; the three are called in order, `closed` once and last. */
export type SocketEvents = {
  opened(socket: Socket): void;
  received(message: Message): void;
  /** The client has taken what was sent. */
  drained?(): void;
  closed(): void;
};

/**
 * A client that leaves this much unread gets no further answers made: what it does not read lies in memory, for each of thousands
 * of sockets, and of what comes at 16 MiB Bun says nothing and sends nothing.
 */
export const UNSENT_BYTES = 1024 * 1024;

/** JavaScript's fal client takes every other code for an error. */
export const NORMAL_CLOSE = 1000;
/** RFC 6455, 7.4.1. */
export const GOING_AWAY = 1001;

/** The part of Bun's ServerWebSocket that is used. */
type BunSocket = {
  send(message: Message): number;
  getBufferedAmount(): number;
  close(code: number, reason: string): void;
};

/** What Bun calls, by way of Elysia, which looks for these functions in a connection's data. */
export type SocketData = {
  open(ws: BunSocket): void;
  message(ws: BunSocket, message: Message): void;
  drain(ws: BunSocket): void;
  close(ws: BunSocket, code: number, reason: string): void;
};

/** `onEnd` follows `closed`. */
export function socketData(events: SocketEvents, onOpen: (socket: Socket) => void, onEnd: (socket: Socket) => void) {
  let socket: Socket | undefined;
  const data: SocketData = {
    open(ws) {
      socket = {
        send: (message) => void ws.send(message),
        unsent: () => ws.getBufferedAmount(),
        close: (code, reason) => ws.close(code, reason),
      };
      onOpen(socket);
      events.opened(socket);
    },
    message: (_, message) => events.received(message),
    drain: () => events.drained?.(),
    close() {
      events.closed();
      if (socket) onEnd(socket);
    },
  };
  return data;
}
