// A client of WebSockets for tests: messages one after the other, and how it ended.
export type SocketClient = {
  send(message: string | Uint8Array<ArrayBuffer>): void;
  /** The next message in the order of arrival. Throws when the connection closes first. */
  next(): Promise<string | Uint8Array>;
  close(code?: number): void;
  closed: Promise<{ code: number; reason: string }>;
};

/** Resolves when it is open; throws when the server refuses. */
export async function connect(url: string, headers: Record<string, string> = {}): Promise<SocketClient> {
  // Bun's own constructor takes headers; the types here are the browser's.
  const socket: WebSocket = Reflect.construct(WebSocket, [url, { headers }]);
  socket.binaryType = "arraybuffer";
  const arrived: (string | Uint8Array)[] = [];
  const waiting: PromiseWithResolvers<string | Uint8Array>[] = [];
  const closing = Promise.withResolvers<{ code: number; reason: string }>();
  socket.onmessage = ({ data }) => {
    const message = typeof data === "string" ? data : new Uint8Array(data);
    const taker = waiting.shift();
    if (taker) taker.resolve(message);
    else arrived.push(message);
  };
  socket.onclose = ({ code, reason }) => {
    closing.resolve({ code, reason });
    for (const { reject } of waiting.splice(0)) reject(new Error(`closed with ${code} ${reason}`));
  };
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("the server refused the connection"));
  });
  return {
    send: (message) => socket.send(message),
    next() {
      const first = arrived.shift();
      if (first !== undefined) return Promise.resolve(first);
      const waiter = Promise.withResolvers<string | Uint8Array>();
      waiting.push(waiter);
      return waiter.promise;
    },
    close: (code) => socket.close(code),
    closed: closing.promise,
  };
}
