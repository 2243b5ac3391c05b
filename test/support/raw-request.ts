// Bytes sent to a port as they are, for requests that no client would make.
import { connect } from "node:net";

/** Resolves to what came back when the other side closes, or when `hangUp` and all is sent. */
export function sendRaw(port: number, parts: readonly string[], { hangUp = false } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => {
      for (const part of parts) socket.write(part);
      // Half-closed at once, a request would count as given up.
      if (hangUp) socket.end(() => socket.destroy());
    });
    socket.on("data", (chunk) => {
      answer += chunk;
      if (!hangUp) socket.end();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", (error) => (hangUp ? resolve(answer) : reject(error)));
  });
}
