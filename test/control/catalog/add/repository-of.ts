// A Hub repository as `models add` sees it.
import type { Repository } from "../../../../src/control/catalog/add/repository.ts";

const MB = 1e6;

/** `tree`: megabytes by path. */
export const repositoryOf = (
  repo: string,
  config: Record<string, unknown>,
  tree: Record<string, number>,
): Repository => ({
  repo,
  commit: "c".repeat(40),
  licence: "mit",
  files: Object.entries(tree).map(([path, size]) => ({ path, bytes: Math.round(size * MB) })),
  configs: { "config.json": config },
});
