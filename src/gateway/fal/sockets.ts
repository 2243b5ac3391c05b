// Requests for a WebSocket: told from all others before any route, authenticated, handed to the face they are for.
import { ForecourtError } from "../../core/errors.ts";
import type { KeyId } from "../../core/ids.ts";
import type { Authenticate } from "../authenticate.ts";
import { failureResponse } from "../failures.ts";
import { hostOf, originOf, urlOf } from "../origin.ts";
import type { ReportFailure } from "../report.ts";
import { newRequestId, REQUEST_ID } from "../request-id.ts";
import { GOING_AWAY, NORMAL_CLOSE, type Socket, type SocketData, type SocketEvents, socketData } from "../socket.ts";
import { type Call, rootsOf } from "./call.ts";
import { trimSlashes } from "./proxy.ts";
import { controlFrame } from "./realtime/frames.ts";
import type { SocketFace } from "./realtime/realtime.ts";

/** The part of Bun's server that is needed; absent when the app is called without one. */
export type Upgrader = {
  upgrade(request: Request, options: { data: SocketData; headers: Record<string, string> }): boolean;
} | null;

type FaceName = "realtime" | "http";

export type SocketsParts = {
  faces: Record<FaceName, SocketFace>;
  authenticate: Authenticate;
  publicUrl: string;
  report: ReportFailure;
};

/** Each may hold an inbox and a model's attention; more than that at once is a mistake or an attack. */
const MOST_SOCKETS = 2_000;
/** One key leaves room for others. */
const MOST_OF_ONE_KEY = 1_000;

export type Sockets = {
  /** Undefined for requests that are for ordinary routes; `"upgraded"` is no answer: the connection has become a socket. */
  enter(request: Request, server: Upgrader): Response | "upgraded" | undefined;
  /** Tells all clients that the box stops. */
  closeAll(): void;
};

/** Faces by fal's host names and by the paths of this box. */
const byHost: ReadonlyMap<string, FaceName> = new Map([
  ["fal.run", "realtime"],
  ["ws.fal.run", "http"],
]);
const byPath: readonly [string, FaceName][] = [
  ["/run/", "realtime"],
  ["/ws/", "http"],
];

/** Where this box takes WebSockets: what follows is the endpoint. */
export const SOCKET_ROOTS: readonly string[] = byPath.map(([root]) => root);

export function createSockets({ faces, authenticate, publicUrl, report }: SocketsParts): Sockets {
  /** With the key of who holds it; those that are turned away have none. */
  const open = new Map<Socket, KeyId | undefined>();

  const checkRoom = (key: KeyId) => {
    const own = [...open.values()].filter((each) => each === key).length;
    if (own >= MOST_OF_ONE_KEY) throw tooManyOfKey();
  };
  const accept = (request: Request, { face, path, query }: Target): { events: SocketEvents; key?: KeyId } => {
    const roots = rootsOf(originOf(request, publicUrl));
    try {
      const caller = authenticate(request);
      checkRoom(caller.id);
      const call: Call = { request, path, query, caller, roots, waitForever: () => {} };
      return { events: faces[face](call), key: caller.id };
    } catch (thrown) {
      // Browsers are not told the status of a handshake that failed: who came by token is told by a message.
      if (isAboutToken(thrown, query)) return { events: turnAway() };
      throw thrown;
    }
  };

  return {
    enter(request, server) {
      if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return undefined;
      const target = targetOf(request.url);
      if (!target) return undefined;
      const id = newRequestId();
      try {
        if (open.size >= MOST_SOCKETS) throw tooMany();
        const { events, key } = accept(request, target);
        const data = socketData(
          events,
          (socket) => open.set(socket, key),
          (socket) => open.delete(socket),
        );
        if (server?.upgrade(request, { data, headers: { [REQUEST_ID]: id } })) return "upgraded";
        throw new ForecourtError("bad_request", "The WebSocket handshake is not complete.");
      } catch (thrown) {
        return failureResponse(report(thrown, id), id);
      }
    },
    closeAll() {
      for (const socket of open.keys()) socket.close(GOING_AWAY, "The box is stopping.");
    },
  };
}

const tooMany = () =>
  new ForecourtError(
    "unavailable",
    `${MOST_SOCKETS} WebSockets are open on this box, and no more may be. Try again later.`,
  );

const tooManyOfKey = () =>
  new ForecourtError(
    "concurrency_limited",
    `${MOST_OF_ONE_KEY} WebSockets are open with this key, and no more may be. Close some of them, or use another key.`,
  );

type Target = { face: FaceName; path: string; query: URLSearchParams };

function targetOf(url: string): Target | undefined {
  const { pathname, searchParams: query } = urlOf({ url });
  const hosted = byHost.get(hostOf(url));
  if (hosted) return { face: hosted, path: trimSlashes(pathname), query };
  const [root = "", face] = byPath.find(([each]) => pathname.startsWith(each)) ?? [];
  return face && { face, path: trimSlashes(pathname.slice(root.length)), query };
}

const isAboutToken = (thrown: unknown, query: URLSearchParams) =>
  query.has("fal_jwt_token") &&
  thrown instanceof ForecourtError &&
  (thrown.code === "unauthenticated" || thrown.code === "forbidden");

const turnAway = (): SocketEvents => ({
  opened(socket) {
    socket.send(controlFrame.unauthorized());
    socket.close(NORMAL_CLOSE, "Unauthorized");
  },
  received() {},
  closed() {},
});
