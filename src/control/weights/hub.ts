// A client of the Hugging Face Hub (or a mirror): what a revision is, which files it has, where they lie. models.md 5.
import type { Timers } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { parse, type Static, type TObject, Type } from "../../core/schema.ts";
import { foregroundTimers } from "../../core/wait.ts";
import type { Digest } from "./disk/digest.ts";
import { checkedPath, checkedRepo } from "./disk/layout.ts";
import { type HubQuestion, hubFailure } from "./hub-failure.ts";
import { type PatienceOptions, passing, persist } from "./transfer/patience.ts";
import type { Web } from "./transfer/web.ts";

export type HubFile = { path: string; bytes: number; digest: Digest };

export type RevisionFacts = {
  /** 40 hex digits. */
  commit: string;
  gated: boolean;
  private: boolean;
  licence?: string;
  tags: string[];
};

export type Hub = {
  /** What a branch, tag or commit is now. `attempts`: for callers who have something else to go by. */
  revision(repo: string, revision: string, signal: AbortSignal, attempts?: number): Promise<RevisionFacts>;
  /** All files of a commit, in the Hub's order. */
  files(repo: string, commit: string, signal: AbortSignal): Promise<HubFile[]>;
  /** Redirects to the file's bytes. */
  url(repo: string, commit: string, path: string): string;
  /** The plain words for a failed answer. */
  explain(question: Omit<HubQuestion, "endpoint" | "hasToken">): (response: Response) => Promise<ForecourtError>;
};

export const DEFAULT_ENDPOINT = "https://huggingface.co";
/** A page holds 1,000 entries; no model repository comes near this. */
const MOST_PAGES = 100;

/** All of its calls throw the errors of hub-failure.ts, and `unavailable` when the Hub stays out of reach. */
export function createHub(options: {
  endpoint?: string;
  hasToken?: boolean;
  web: Web;
  timers?: Timers;
  random?: () => number;
  onWait?: PatienceOptions["onWait"];
}): Hub {
  const { web, timers = foregroundTimers, hasToken = false, random, onWait } = options;
  const endpoint = checkedEndpoint(options.endpoint ?? DEFAULT_ENDPOINT);
  const explain: Hub["explain"] = (question) => (response) => hubFailure(response, { ...question, endpoint, hasToken });

  const ask = (
    url: string,
    question: { repo: string; revision: string },
    patience: Pick<PatienceOptions, "signal" | "attempts">,
  ) =>
    persist(
      async () => {
        const { response } = await web.get(url, { signal: patience.signal, headers: { accept: "application/json" } });
        if (!response.ok) throw await explain(question)(response);
        return { body: await readJson(response, url), next: nextPage(response.headers.get("link"), endpoint) };
      },
      { timers, ...patience, ...(random && { random }), ...(onWait && { onWait }) },
    );

  return {
    async revision(repo, revision, signal, attempts) {
      const url = `${endpoint}/api/models/${checkedRepo(repo)}/revision/${encodeURIComponent(revision)}`;
      const { body } = await ask(url, { repo, revision }, { signal, ...(attempts && { attempts }) });
      const {
        sha,
        gated = false,
        private: isPrivate = false,
        cardData,
        tags = [],
      } = understood(revisionAnswer, body, url);
      const licence = cardData?.license;
      return {
        commit: sha,
        gated: gated !== false,
        private: isPrivate,
        tags,
        ...(typeof licence === "string" && { licence }),
      };
    },
    async files(repo, commit, signal) {
      const files: HubFile[] = [];
      let url: string | undefined =
        `${endpoint}/api/models/${checkedRepo(repo)}/tree/${encodeURIComponent(commit)}?recursive=true&expand=false`;
      for (let pages = 0; url !== undefined; pages++) {
        if (pages === MOST_PAGES) throw strange(url, `more than ${MOST_PAGES} pages of files`);
        const page: { body: unknown; next: string | undefined } = await ask(
          url,
          { repo, revision: commit },
          { signal },
        );
        const { entries } = understood(treeAnswer, { entries: page.body }, url);
        files.push(...entries.filter(({ type }) => type === "file").map(hubFile));
        url = page.next;
      }
      return files;
    },
    url: (repo, commit, path) =>
      `${endpoint}/${checkedRepo(repo)}/resolve/${encodeURIComponent(commit)}/${encodePath(checkedPath(path))}`,
    explain,
  };
}

const hex = (digits: number) => Type.String({ pattern: `^[0-9a-f]{${digits}}$` });
const size = Type.Integer({ minimum: 0 });

const revisionAnswer = Type.Object({
  sha: hex(40),
  gated: Type.Optional(Type.Union([Type.Boolean(), Type.String()])),
  private: Type.Optional(Type.Boolean()),
  tags: Type.Optional(Type.Array(Type.String())),
  // Authors write the card by hand: a licence may be a list, and then says nothing to us.
  cardData: Type.Optional(Type.Object({ license: Type.Optional(Type.Unknown()) })),
});

const treeEntry = Type.Object({
  type: Type.String(),
  path: Type.String({ minLength: 1 }),
  size: Type.Optional(size),
  oid: Type.Optional(Type.String()),
  lfs: Type.Optional(Type.Object({ oid: hex(64), size })),
});
const treeAnswer = Type.Object({ entries: Type.Array(treeEntry) });

/** The `oid` of a large file is that of its pointer; its content's is `lfs.oid`. */
function hubFile({ path, size, oid, lfs }: Static<typeof treeEntry>): HubFile {
  checkedPath(path);
  if (lfs) return { path, bytes: lfs.size, digest: { algorithm: "sha256", hex: lfs.oid } };
  if (size === undefined || oid === undefined || !/^[0-9a-f]{40}$/.test(oid))
    throw strange(path, "a file without size or hash");
  return { path, bytes: size, digest: { algorithm: "git-sha1", hex: oid } };
}

const encodePath = (path: string) => path.split("/").map(encodeURIComponent).join("/");

/** Mirrors pass the Hub's own absolute links on; the page is asked of the mirror. */
function nextPage(link: string | null, endpoint: string): string | undefined {
  const target = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];
  if (target === undefined) return undefined;
  const { pathname, search } = new URL(target, endpoint);
  return `${new URL(endpoint).origin}${pathname}${search}`;
}

async function readJson(response: Response, url: string): Promise<unknown> {
  const text = await response.text().catch((error: unknown) => {
    throw passing(`${new URL(url).host}: the connection was lost.`, { cause: error });
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw strange(url, "no JSON", error);
  }
}

function understood<S extends TObject>(schema: S, body: unknown, url: string): Static<S> {
  try {
    return parse(schema, body, ["answer"]);
  } catch (error) {
    throw strange(url, error instanceof Error ? error.message : String(error), error);
  }
}

const strange = (where: string, what: string, cause?: unknown) =>
  new ForecourtError("weights_missing", `The Hub's answer is not understood (${where}): ${what}.`, {
    details: { reason: "strange_answer" },
    cause,
  });

/** Without a trailing slash. Throws `misconfigured`. */
export function checkedEndpoint(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol !== "https:" && url?.protocol !== "http:")
    throw new ForecourtError("misconfigured", `The Hub's address ${text} is no URL such as ${DEFAULT_ENDPOINT}.`);
  return text.replace(/\/+$/, "");
}
