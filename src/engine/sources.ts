// The sources of a model's weights, however many: its own and those beside it, each with the folder its files are found in.
import { ForecourtError } from "../core/errors.ts";
import type { Model } from "./model.ts";

export type Source = Model["source"];
export type RepoSource = Extract<Source, { repo: string }>;
/** The sources whose files can be fetched. */
export type FetchableSource = RepoSource | Extract<Source, { urls: unknown }>;

/** What is said of one source and, under `beside`, of each further one by its folder. */
export type Sources<S> = { source: S; beside?: Readonly<Record<string, { source: S }>> };
/** `folder` is "" for the source whose files lie at the top. */
export type Placed<S> = { folder: string; source: S };
/** A model as far as it says which weights it has. */
export type Sourced = Pick<Model, "id"> & Sources<Source>;
/** One source of a model. */
export type Part<S extends Source = Source> = Placed<S> & { id: string };

/** Its own first. */
export const sourcesOf = <S>({ source, beside = {} }: Sources<S>): Placed<S>[] => [
  { folder: "", source },
  ...Object.entries(beside).map(([folder, each]) => ({ folder, source: each.source })),
];

export const partsOf = (model: Sourced): Part[] => sourcesOf(model).map((each) => ({ id: model.id, ...each }));

const isRepo = (part: Part): part is Part<RepoSource> => "repo" in part.source;
export const isFetchable = (part: Part): part is Part<FetchableSource> => isRepo(part) || "urls" in part.source;

export const repoPartsOf = (model: Sourced): Part<RepoSource>[] => partsOf(model).filter(isRepo);
export const fetchablePartsOf = (model: Sourced): Part<FetchableSource>[] => partsOf(model).filter(isFetchable);

/** Whether anything of its weights is fetched. */
export const isFetched = (model: Sourced): boolean => fetchablePartsOf(model).length > 0;

/** In a model file: the pipeline needs no weights. */
export const NO_WEIGHTS = "none";

/** Throws `misconfigured` for sources that cannot be one model's. */
export function expectSources(model: Model): void {
  const { beside, source, licence } = model;
  if (Object.keys(beside).length === 0) return;
  if ("embedded" in source && source.embedded === NO_WEIGHTS)
    throw wrong("beside: the model's own `source` is none; name one of these there");
  const repos = repoPartsOf(model).map((part) => part.source.repo);
  const twice = repos.find((repo, at) => repos.indexOf(repo) !== at);
  if (twice !== undefined) throw wrong(`beside: ${twice} is named twice; name all of its files in one source`);
  for (const [folder, each] of Object.entries(beside))
    if (licence.commercial && each.licence?.commercial === false)
      throw wrong(`licence.commercial: beside.${folder} allows no commercial use, so the model does not either`);
}

const wrong = (message: string) => new ForecourtError("misconfigured", message);
