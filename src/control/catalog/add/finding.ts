// What a family says about a repository that is one of its own.
import type { Device } from "../../../core/device.ts";
import { ForecourtError } from "../../../core/errors.ts";
import type { ModerationDeclaration } from "../../../engine/classification/moderation.ts";
import type { EmbedDeclaration } from "../../../engine/embedding/declaration.ts";
import type { PipelineName } from "../../../engine/pipelines/registry.ts";
import type { GraphWish, PickedGraph } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

/** Where the model is to run, as far as that is known: the kind of the device and its memory. */
export type Room = { kind: Device["kind"]; bytes: number };
export type Wishes = GraphWish & {
  room?: Room;
  /** Where a repository is of use to several. */
  pipeline?: PipelineName;
};

export type Finding = {
  pipeline: PipelineName;
  /** fal's. */
  category: string;
  /** One sentence without its full stop. */
  description: string;
  /** Paths of what is needed. */
  files: string[];
  /** Graphs by the path under which the pipeline asks for them. */
  graphs: Record<string, PickedGraph>;
  defaults: Record<string, unknown>;
  /** Bytes beside the weights while one input runs. */
  working: number;
  /** Further bytes for each further input at a time. */
  perBatchItem?: number;
  limits?: { maxBatch: number };
  embed?: EmbedDeclaration;
  moderation?: Pick<ModerationDeclaration, "categories">;
  unit: string;
  /** Sentences for the operator: what was guessed. */
  unsure: string[];
};

/** Recognises by what repositories call themselves; throws `misconfigured` when something of theirs is missing. */
export type Family = (repository: Repository, wishes: Wishes) => Finding;

/** Those of the paths that the repository has. */
export const present = ({ files }: Repository, paths: readonly string[]) =>
  paths.filter((path) => files.some((file) => file.path === path));

/** Throws `misconfigured` naming what is not there. */
export function requireFiles(repository: Repository, paths: readonly string[]): string[] {
  const missing = paths.filter((path) => present(repository, [path]).length === 0);
  if (missing.length > 0)
    throw new ForecourtError("misconfigured", `${repository.repo} has no ${missing.join(" and no ")}.`, {
      details: { reason: "missing_files", missing },
    });
  return [...paths];
}

/** A tokenizer's files, `folder` ending with a slash or being empty. */
export function tokenizerFiles(repository: Repository, folder: string): string[] {
  const below = (names: string[]) => names.map((name) => `${folder}${name}`);
  const words = present(repository, below(["tokenizer.json"]));
  const needed = words.length > 0 ? words : requireFiles(repository, below(["vocab.json", "merges.txt"]));
  return [...needed, ...present(repository, below(["tokenizer_config.json", "special_tokens_map.json"]))];
}

/** A config as a mapping; empty when there is none. */
export function configOf({ configs }: Repository, path: string): Record<string, unknown> {
  const config = configs[path];
  return typeof config === "object" && config !== null && !Array.isArray(config) ? { ...config } : {};
}
