// A Hub on loopback that answers like the real one (models.md 5), with faults on demand: two origins, as hub and CDN.
import { createHash } from "node:crypto";

export type FakeRepo = {
  files: Record<string, Uint8Array>;
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
  headers: Headers;
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
  /** Bytes of files that were handed to the network. */
  served(): number;
};

export const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
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
  const note = (origin: Seen["origin"], request: Request) => {
    const { pathname, search } = new URL(request.url);
    requests.push({ origin, path: pathname + search, authorization: request.headers.get("authorization") });
  };
  const cdn = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    development: false,
    fetch(request) {
      note("cdn", request);
      return sendFile(request, options, { files, counter });
    },
  });
  const cdnOrigin = `http://127.0.0.1:${cdn.port}`;
  const hub = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      note("hub", request);
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/api/")) return options.api?.(pathname) ?? answerApi(request, options);
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
    async [Symbol.asyncDispose]() {
      await Promise.all([hub.stop(true), cdn.stop(true)]);
    },
  };
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

function answerApi(request: Request, options: FakeHubOptions): Response {
  const { pathname, searchParams, origin } = new URL(request.url);
  const [, repo = "", kind, revision = ""] = /^\/api\/models\/(.+?)\/(revision|tree)\/([^/]+)/.exec(pathname) ?? [];
  const refused = authorise(request, options, repo, "api");
  if (refused) return refused;
  const known = options.repos[repo];
  if (!known) return refuse(404, "RepoNotFound", "Repository not found");
  if (!["main", "refs/pr/1", COMMIT].includes(decodeURIComponent(revision)))
    return refuse(404, "RevisionNotFound", `Invalid rev id: ${revision}`);
  if (kind === "revision")
    return Response.json({
      sha: COMMIT,
      gated: known.gated ? "manual" : false,
      private: known.private ?? false,
      tags: ["onnx"],
      cardData: { license: "mit" },
    });
  const { pageSize = 1000 } = options;
  const from = Number(searchParams.get("cursor") ?? 0);
  const entries = treeOf(known);
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
  if (revision !== COMMIT) return refuse(404, "RevisionNotFound", `Invalid rev id: ${revision}`);
  const path = decodeURIComponent(encoded);
  const data = options.repos[repo]?.files[path];
  if (!data) return refuse(404, "EntryNotFound", "Entry not found");
  const headers = {
    "x-repo-commit": COMMIT,
    "x-linked-etag": `"${sha256(data)}"`,
    "x-linked-size": `${data.byteLength}`,
  };
  const location = `${cdn}/signed?repo=${encodeURIComponent(repo)}&path=${encodeURIComponent(path)}`;
  return new Response(null, { status: 302, headers: { ...headers, location } });
}

type Log = { files: FileRequest[]; counter: { served: number } };

function sendFile(request: Request, { repos, fault }: FakeHubOptions, { files, counter }: Log): Response {
  const { searchParams } = new URL(request.url);
  const repo = searchParams.get("repo") ?? "";
  const path = searchParams.get("path") ?? "";
  const data = repos[repo]?.files[path];
  if (!data) return new Response("no such object", { status: 404 });
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "") ?? [];
  const isRange = first !== undefined;
  const from = Number(first ?? 0);
  const to = last ? Math.min(data.byteLength, Number(last) + 1) : data.byteLength;
  const earlier = files.filter((each) => each.repo === repo && each.path === path).length;
  const asked: FileRequest = { repo, path, from, to, isRange, earlier, headers: request.headers };
  files.push(asked);
  const done = fault?.(asked);
  if (done?.type === "status") return new Response("fault", { status: done.status, headers: done.headers ?? {} });
  const all = !isRange || done?.type === "ignore range";
  const body = (all ? data : data.subarray(from, to)).slice();
  const offset = all ? 0 : from;
  if (done?.type === "corrupt" && done.at >= offset && done.at < offset + body.byteLength) {
    body[done.at - offset] = (body[done.at - offset] ?? 0) ^ 1;
  }
  const headers: Record<string, string> = { "accept-ranges": "bytes", "content-type": "application/octet-stream" };
  if (!all) headers["content-range"] = `bytes ${from}-${to - 1}/${data.byteLength}`;
  const status = all ? 200 : 206;
  if (done?.type === "cut" || done?.type === "hang") {
    headers["content-length"] = `${body.byteLength}`;
    counter.served += Math.min(done.after, body.byteLength);
    return new Response(interrupted(body, done), { status, headers });
  }
  const sent = done?.type === "truncate" ? body.subarray(0, done.after) : body;
  counter.served += sent.byteLength;
  return new Response(done?.type === "truncate" ? new Response(sent).body : sent, { status, headers });
}

function interrupted(body: Uint8Array, { type, after }: { type: "cut" | "hang"; after: number }): ReadableStream {
  let isSent = false;
  return new ReadableStream({
    pull(controller) {
      if (!isSent) {
        isSent = true;
        if (after > 0) controller.enqueue(body.subarray(0, after));
        return;
      }
      if (type === "cut") controller.error(new Error("cut on purpose"));
      return type === "hang" ? new Promise(() => {}) : undefined;
    },
  });
}
