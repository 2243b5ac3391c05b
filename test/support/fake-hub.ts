// A Hub on loopback that answers like the real one (models.md 5), with faults on demand: two origins, as hub and CDN.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export type FakeRepo = {
  /** Of COMMIT, which `main` is at first. */
  files: Record<string, Uint8Array>;
  /** Of other commits, to which FakeHub.point moves `main`. */
  revisions?: Record<string, Record<string, Uint8Array>>;
  /** Paths that are stored as LFS objects, i.e. whose sha256 the listing tells. Default: all `.onnx` and `_data`. */
  isLarge?: (path: string) => boolean;
  gated?: boolean;
  private?: boolean;
};

/** One request for a file's bytes, as the CDN sees it. */
export type FileRequest = {
  repo: string;
  path: string;
  /** [from, to) of the file that is asked for. */
  from: number;
  to: number;
  isRange: boolean;
  /** How many requests for this file came before this one. */
  earlier: number;
};

export type Fault =
  | { type: "status"; status: number; headers?: Record<string, string> }
  /** The connection breaks after this many bytes. */
  | { type: "cut"; after: number }
  /** Nothing comes any more after this many bytes, but the connection stays. */
  | { type: "hang"; after: number }
  /** The bit at this offset of the file is turned. */
  | { type: "corrupt"; at: number }
  | { type: "ignore range" }
  /** 200 and an ending, but fewer bytes than there should be, and no length told. */
  | { type: "truncate"; after: number };

export type Seen = { origin: "hub" | "cdn"; path: string; authorization: string | null };

export type FakeHubOptions = {
  repos: Record<string, FakeRepo>;
  /** Required for gated and private repositories; others are refused as invalid. */
  token?: string;
  pageSize?: number;
  /** Called for each request for bytes; what it answers is done to it. */
  fault?: (request: FileRequest) => Fault | undefined;
  /** Called for each request of the API; a response is sent instead of the answer. */
  api?: (path: string) => Response | undefined;
};

export type FakeHub = AsyncDisposable & {
  endpoint: string;
  cdn: string;
  commit: string;
  requests: Seen[];
  files: FileRequest[];
  /** From now on `main` of the repository is this commit. */
  point(repo: string, commit: string): void;
  /** Bytes of files that were handed to the network. */
  served(): number;
};

const hashes = new WeakMap<Uint8Array, string>();
export function sha256(data: Uint8Array): string {
  const hash = hashes.get(data) ?? createHash("sha256").update(data).digest("hex");
  hashes.set(data, hash);
  return hash;
}
export const gitSha1 = (data: Uint8Array) =>
  createHash("sha1").update(`blob ${data.byteLength}\0`).update(data).digest("hex");
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** Reproducible bytes without a pattern that a shifted copy would share. */
export function noise(bytes: number, seed = 1): Uint8Array {
  const data = new Uint8Array(bytes);
  let state = seed >>> 0 || 1;
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[at] = state >>> 24;
  }
  return data;
}

export function createFakeHub(options: FakeHubOptions): FakeHub {
  const requests: Seen[] = [];
  const files: FileRequest[] = [];
  const counter = { served: 0 };
  const heads: Heads = new Map();
  // node:http and not Bun.serve, because only it lets a test break a connection in the middle of a body.
  const cdn = createServer((request, response) => {
    requests.push({ origin: "cdn", path: request.url ?? "", authorization: request.headers.authorization ?? null });
    sendFile(request, response, options, { files, counter });
  });
  cdn.listen(0, "127.0.0.1");
  const cdnOrigin = `http://127.0.0.1:${portOf(cdn)}`;
  const hub = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      requests.push({ origin: "hub", path: pathname + search, authorization: request.headers.get("authorization") });
      if (pathname.startsWith("/api/")) return options.api?.(pathname) ?? answerApi(request, options, heads);
      return resolveFile(request, options, cdnOrigin);
    },
  });
  return {
    endpoint: `http://127.0.0.1:${hub.port}`,
    cdn: cdnOrigin,
    commit: COMMIT,
    requests,
    files,
    served: () => counter.served,
    point: (repo, commit) => void heads.set(repo, commit),
    async [Symbol.asyncDispose]() {
      cdn.closeAllConnections();
      cdn.close();
      await hub.stop(true);
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the CDN's double does not listen");
  return address.port;
}

const refuse = (status: number, code: string, message: string) =>
  Response.json({ error: message }, { status, headers: { "x-error-code": code, "x-error-message": message } });

function authorise(request: Request, { token, repos }: FakeHubOptions, repo: string, what: "api" | "file") {
  const found = repos[repo];
  const given = request.headers.get("authorization");
  if (given !== null && given !== `Bearer ${token}`)
    return new Response(null, {
      status: 401,
      headers: { "x-error-message": "Invalid credentials in Authorization header" },
    });
  if (!found)
    return given
      ? refuse(404, "RepoNotFound", "Repository not found")
      : refuse(401, "RepoNotFound", "Repository not found");
  if (found.private && given === null) return refuse(401, "RepoNotFound", "Repository not found");
  if (found.gated && what === "file" && given === null)
    return refuse(401, "GatedRepo", `Access to model ${repo} is restricted.`);
  return undefined;
}

/** Commits of `main`, where it is not COMMIT. */
type Heads = Map<string, string>;

const filesAt = ({ files, revisions }: FakeRepo, commit: string) =>
  revisions?.[commit] ?? (commit === COMMIT ? files : undefined);

function answerApi(request: Request, options: FakeHubOptions, heads: Heads): Response {
  const { pathname, searchParams, origin } = new URL(request.url);
  const [, repo = "", kind, revision = ""] = /^\/api\/models\/(.+?)\/(revision|tree)\/([^/]+)/.exec(pathname) ?? [];
  const refused = authorise(request, options, repo, "api");
  if (refused) return refused;
  const known = options.repos[repo];
  if (!known) return refuse(404, "RepoNotFound", "Repository not found");
  const name = decodeURIComponent(revision);
  const commit = ["main", "refs/pr/1"].includes(name) ? (heads.get(repo) ?? COMMIT) : name;
  const files = filesAt(known, commit);
  if (!files) return refuse(404, "RevisionNotFound", `Invalid rev id: ${revision}`);
  if (kind === "revision")
    return Response.json({
      sha: commit,
      gated: known.gated ? "manual" : false,
      private: known.private ?? false,
      tags: ["onnx"],
      cardData: { license: "mit" },
    });
  const { pageSize = 1000 } = options;
  const from = Number(searchParams.get("cursor") ?? 0);
  const entries = treeOf({ ...known, files });
  const more = from + pageSize < entries.length;
  const next = `${origin}${pathname}?recursive=true&expand=false&cursor=${from + pageSize}`;
  return Response.json(
    entries.slice(from, from + pageSize),
    more ? { headers: { link: `<${next}>; rel="next"` } } : {},
  );
}

const isLargeByName = (path: string) => /\.onnx$|_data(_\d+)?$/.test(path);

const treeOf = ({ files, isLarge = isLargeByName }: FakeRepo) =>
  [...new Set(Object.keys(files).flatMap((path) => (path.includes("/") ? [path.slice(0, path.lastIndexOf("/"))] : [])))]
    .map((path): unknown => ({ type: "directory", path, oid: "0".repeat(40), size: 0 }))
    .concat(
      Object.entries(files).map(([path, data]) => ({
        type: "file",
        path,
        size: data.byteLength,
        oid: gitSha1(data),
        ...(isLarge(path) && { lfs: { oid: sha256(data), size: data.byteLength, pointerSize: 134 } }),
      })),
    );

function resolveFile(request: Request, options: FakeHubOptions, cdn: string): Response {
  const { pathname } = new URL(request.url);
  const [, repo = "", revision = "", encoded = ""] = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(pathname) ?? [];
  const refused = authorise(request, options, repo, "file");
  if (refused) return refused;
  const known = options.repos[repo];
  const files = known && filesAt(known, revision);
  if (!files) return refuse(404, "RevisionNotFound", `Invalid rev id: ${revision}`);
  const path = decodeURIComponent(encoded);
  const data = files[path];
  if (!data) return refuse(404, "EntryNotFound", "Entry not found");
  const headers = {
    "x-repo-commit": revision,
    "x-linked-etag": `"${sha256(data)}"`,
    "x-linked-size": `${data.byteLength}`,
  };
  const location = `${cdn}/signed?repo=${encodeURIComponent(repo)}&commit=${revision}&path=${encodeURIComponent(path)}`;
  return new Response(null, { status: 302, headers: { ...headers, location } });
}

type Log = { files: FileRequest[]; counter: { served: number } };

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { repos, fault }: FakeHubOptions,
  log: Log,
): void {
  const { searchParams } = new URL(request.url ?? "", "http://cdn");
  const repo = searchParams.get("repo") ?? "";
  const path = searchParams.get("path") ?? "";
  const known = repos[repo];
  const data = known && filesAt(known, searchParams.get("commit") ?? COMMIT)?.[path];
  if (!data) return void response.writeHead(404).end("no such object");
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  const asked: FileRequest = {
    repo,
    path,
    from: Number(first ?? 0),
    to: last ? Math.min(data.byteLength, Number(last) + 1) : data.byteLength,
    isRange: first !== undefined,
    earlier: log.files.filter((each) => each.repo === repo && each.path === path).length,
  };
  log.files.push(asked);
  const planned = fault?.(asked);
  if (planned?.type === "status") return void response.writeHead(planned.status, planned.headers).end("fault");
  sendBody(
    response,
    data,
    planned?.type === "ignore range" ? { ...asked, from: 0, to: data.byteLength, isRange: false } : asked,
    planned,
    log,
  );
}

function sendBody(
  response: ServerResponse,
  data: Uint8Array,
  { from, to, isRange }: FileRequest,
  fault: Fault | undefined,
  log: Log,
): void {
  const body = data.slice(from, to);
  if (fault?.type === "corrupt" && fault.at >= from && fault.at < to)
    body[fault.at - from] = (body[fault.at - from] ?? 0) ^ 1;
  const sent = body.subarray(0, fault && "after" in fault ? fault.after : undefined);
  log.counter.served += sent.byteLength;
  response.writeHead(isRange ? 206 : 200, {
    "accept-ranges": "bytes",
    ...(isRange && { "content-range": `bytes ${from}-${to - 1}/${data.byteLength}` }),
    ...(fault?.type !== "truncate" && { "content-length": body.byteLength }),
  });
  switch (fault?.type) {
    case "cut":
      return void response.write(sent, () => response.destroy());
    case "hang":
      return void response.write(sent);
    default:
      response.end(sent);
  }
}
