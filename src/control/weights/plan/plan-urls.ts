// The plan for plain URLs: a folder of files named after their contents, of the size that their servers tell.
import { ForecourtError } from "../../../core/errors.ts";
import { checkedPath, repoFolder } from "../disk/layout.ts";
import type { UrlFile, UrlSource } from "../source.ts";
import { askedWait, type PatienceOptions, passing, persist } from "../transfer/patience.ts";
import type { Web } from "../transfer/web.ts";
import { type Plan, type PlannedFile, planKey, recallPlan } from "./plan.ts";

type Means = { root: string; web: Web; patience: PatienceOptions };

/** Throws `weights_missing` for what the server refuses or whose length it does not tell. */
export async function planUrls({ urls }: UrlSource, { root, web, patience }: Means): Promise<Plan> {
  const { commit, folderName } = placeOfUrls({ urls });
  const key = planKey({ urls });
  const title = [...new Set(urls.map(({ url }) => new URL(url).host))].join(", ");
  const known = await recallPlan(repoFolder(root, folderName), commit, key);
  const files = known?.files ?? (await Promise.all(urls.map((file) => plannedFile(file, web, patience))));
  return { title, folderName, commit, key, files };
}

/** Named after paths and contents, so that the same files are the same folder. Throws `misconfigured`. */
export function placeOfUrls({ urls }: UrlSource): { commit: string; folderName: string } {
  const content = urls.map((file) => ({ path: pathOf(file), sha256: file.sha256 }));
  const commit = new Bun.CryptoHasher("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 40);
  return { commit, folderName: `urls--${commit.slice(0, 12)}` };
}

const plannedFile = async (file: UrlFile, web: Web, patience: PatienceOptions): Promise<PlannedFile> => ({
  path: pathOf(file),
  bytes: file.bytes ?? (await persist(() => lengthOfUrl(file.url, web, patience.signal), patience)),
  digest: { algorithm: "sha256", hex: file.sha256 },
  url: file.url,
});

export function pathOf({ url, path }: Pick<UrlFile, "url" | "path">): string {
  const address = URL.parse(url);
  if (address?.protocol !== "https:" && address?.protocol !== "http:")
    throw new ForecourtError("misconfigured", `${url} is not a URL of a file (https://...).`);
  return checkedPath(path ?? decodeURIComponent(address.pathname.split("/").at(-1) ?? ""));
}

/** Of the file, as its server tells it. Asks for one byte: some servers that tell a length in answer to GET do not answer HEAD. */
export async function lengthOfUrl(url: string, web: Web, signal: AbortSignal): Promise<number> {
  const { response } = await web.get(url, { signal, headers: { range: "bytes=0-0" } });
  await response.body?.cancel();
  if (!response.ok) throw urlFailure(url)(response);
  const total =
    response.status === 206
      ? /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1]
      : (response.headers.get("content-length") ?? undefined);
  if (total !== undefined) return Number(total);
  throw new ForecourtError("weights_missing", `${url} does not tell its length; give it as \`bytes\`.`, {
    details: { reason: "unknown_size" },
  });
}

/** The plain words for a failed answer. */
export const urlFailure = (url: string) => (response: Response) => {
  const { status, headers } = response;
  const { host, pathname } = new URL(url);
  const retryAfterMs = askedWait(headers, Date.now());
  if (status === 429 || status === 408 || status >= 500)
    return passing(`${host} answered ${status}.`, retryAfterMs === undefined ? {} : { retryAfterMs });
  return new ForecourtError("weights_missing", `${host} answered ${status} for ${pathname}.`, {
    details: { reason: status === 404 ? "file_not_found" : "refused", status },
  });
};
