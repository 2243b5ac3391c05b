// Which files of a repository are wanted: an allow-list of glob patterns.
import { ForecourtError } from "../../core/errors.ts";

export type Patterns = {
  /** `*` stays within a folder, `**` crosses them, `{a,b}` and `[a-z]` as in a shell; a folder's name with `/` means all
   * below it. Empty or absent: every file. */
  include?: readonly string[];
  /** Taken away from what `include` chose. */
  exclude?: readonly string[];
};

/**
 * Keeps the listing's order. A chosen graph brings its external data along (`model.onnx_data`, `model.onnx_data_1`,
 * `model.onnx.data`), which ONNX Runtime looks for beside it. Throws `misconfigured` naming patterns that match nothing.
 */
export function choose<File extends { path: string }>(
  files: readonly File[],
  { include = [], exclude = [] }: Patterns,
): File[] {
  const isExcluded = anyOf(exclude);
  if (include.length === 0) return files.filter(({ path }) => !isExcluded(path));
  const idle = include.filter((pattern) => !files.some(({ path }) => matcher(pattern)(path)));
  if (idle.length > 0) throw noMatch(idle, files);
  const isIncluded = anyOf(include);
  const graphs = new Set(
    files.filter(({ path }) => isIncluded(path) && path.endsWith(".onnx")).map(({ path }) => path),
  );
  return files.filter(({ path }) => (isIncluded(path) || graphs.has(graphOf(path))) && !isExcluded(path));
}

/** The graph that a file would be the external data of. */
const graphOf = (path: string) => path.replace(/\.onnx(_data(_\d+)?|\.data)$/, ".onnx");

function anyOf(patterns: readonly string[]): (path: string) => boolean {
  const matchers = patterns.map(matcher);
  return (path) => matchers.some((matches) => matches(path));
}

function matcher(pattern: string): (path: string) => boolean {
  if (pattern.startsWith("!"))
    throw new ForecourtError("misconfigured", `The pattern ${pattern} begins with "!"; name it under exclude instead.`);
  const glob = new Bun.Glob(pattern.endsWith("/") ? `${pattern}**` : pattern);
  return (path) => path === pattern || glob.match(path);
}

const noMatch = (patterns: string[], files: readonly { path: string }[]) =>
  new ForecourtError(
    "misconfigured",
    `No file matches ${patterns.join(", ")}. There are: ${files
      .slice(0, 20)
      .map(({ path }) => path)
      .join(", ")}${files.length > 20 ? ` and ${files.length - 20} more` : ""}.`,
    { details: { reason: "no_match", patterns } },
  );
