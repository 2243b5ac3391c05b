// From what a repository says of itself to a model file: which pipeline, which files, how large. Pure.
import type { DeviceKind } from "../../../core/device.ts";
import { ForecourtError } from "../../../core/errors.ts";
import type { Dtype } from "../../../engine/dtypes.ts";
import { pipelineNames } from "../../../engine/pipelines/registry.ts";
import { bareFamily, bareNames } from "./bare.ts";
import { clap, clapTowers } from "./clap.ts";
import { clip, siglip, siglipTowers } from "./clip.ts";
import { DEPTH, depth } from "./depth.ts";
import { ENCODERS, encoder, isEmbedding } from "./encoder.ts";
import { configOf, type Family, type Finding, type Wishes } from "./finding.ts";
import { florence } from "./florence.ts";
import { labellingOf } from "./labelling.ts";
import { LANGUAGE_MODELS, language } from "./language.ts";
import { licenceOf } from "./licence.ts";
import { MATTING, matting } from "./matting.ts";
import { music } from "./music.ts";
import { isYoloPose, vitPose, yoloPose } from "./pose.ts";
import type { Repository } from "./repository.ts";
import { SEEING, seeing } from "./seeing.ts";
import { SEGMENTATION, segmentation } from "./segmentation.ts";
import { stableDiffusion } from "./stable-diffusion.ts";
import { towers } from "./towers.ts";
import { swin2sr } from "./upscaling.ts";
import { memoryOf, optional, variantsOf } from "./variants.ts";
import { imageToVideo, textToVideo } from "./video.ts";
import { chatterbox, hasSupertone, kokoro, speechT5, supertone, supertonic, vits } from "./voices.ts";
import { whisper } from "./whisper.ts";

/** By `_class_name` of model_index.json, without the prefix of the program that exported it. */
const DIFFUSERS: Record<string, Family> = {
  StableDiffusionPipeline: stableDiffusion,
  LatentConsistencyModelPipeline: stableDiffusion,
  TextToVideoSDPipeline: textToVideo,
  StableVideoDiffusionPipeline: imageToVideo,
};

/** By `model_type` of config.json. */
const TRANSFORMERS: Record<string, Family> = {
  chatterbox,
  clap,
  clip,
  ...Object.fromEntries(LANGUAGE_MODELS.map((type) => [type, languageOrMeaning])),
  ...Object.fromEntries(ENCODERS.map((type) => [type, encoder])),
  ...Object.fromEntries(MATTING.map((type) => [type, matting])),
  ...Object.fromEntries(SEGMENTATION.map((type) => [type, segmentation])),
  ...Object.fromEntries(DEPTH.map((type) => [type, depth])),
  ...Object.fromEntries(SEEING.map((type) => [type, seeing])),
  florence2: florence,
  musicgen: music,
  siglip,
  siglip2: siglip,
  speecht5: speechT5,
  style_text_to_speech_2: kokoro,
  supertonic,
  swin2sr,
  vitpose: vitPose,
  vits,
  whisper,
};

/** The same for who wants embeddings of a model that is of use to other pipelines too. */
const EMBEDDING: Record<string, Family> = {
  ...TRANSFORMERS,
  clap: clapTowers,
  clip: towers,
  siglip: siglipTowers,
  siglip2: siglipTowers,
};

export type Draft = {
  /** A model file but for `source`, and for the files of its variants. */
  model: Record<string, unknown> & { id: string; variants?: Record<string, Record<string, unknown>> };
  files: RepositoryFile[];
  /** By variant, beside those. */
  variantFiles: Record<string, RepositoryFile[]>;
  /** Sentences for the operator: what was guessed and what is left to them. */
  unsure: string[];
};

type RepositoryFile = Repository["files"][number];

export type DraftWishes = Pick<Wishes, "room" | "pipeline"> & {
  id?: string;
  /** What is to be taken on the devices of a kind; else what suits them. */
  dtypes?: Partial<Record<DeviceKind, Dtype>>;
};

/** Throws `misconfigured`, naming the architecture, for what no pipeline runs and for repositories that lack files. */
export function recognise(repository: Repository, { id, dtypes = {}, ...wishes }: DraftWishes = {}): Draft {
  const found = findingsOf(repository, wishes, dtypes);
  const { cpu: finding } = found;
  const { variants, ...choice } = variantsOf(found);
  const { licence, isKnown } = licenceOf(repository.licence);
  const { repo } = repository;
  const filesAt = (paths: ReadonlySet<string>) => repository.files.filter(({ path }) => paths.has(path));
  return {
    model: {
      id: id ?? idOf(repo),
      title: repo.split("/").at(-1) ?? repo,
      description: `${finding.description}. From ${repo}.`,
      category: finding.category,
      licence,
      pipeline: finding.pipeline,
      ...choice.fields,
      ...(variants && { variants: Object.fromEntries(variants.map(({ name, fields }) => [name, fields])) }),
      ...optional("defaults", finding.defaults),
      ...(finding.embed && { embed: finding.embed }),
      ...(finding.moderation && { moderation: finding.moderation }),
      memory: memoryOf(finding, variants ? "cpu" : undefined),
      ...(finding.limits && { limits: finding.limits }),
      price: { unit: finding.unit, amount: 0, currency: "USD" },
    },
    files: filesAt(choice.paths),
    variantFiles: Object.fromEntries((variants ?? []).map(({ name, paths }) => [name, filesAt(paths)])),
    unsure: [
      ...finding.unsure,
      ...choice.unsure,
      ...(isKnown ? [] : [licenceDoubt(repository)]),
      "Its memory is an estimate from its files; it is measured once it is loaded.",
      "It has no price: every call is free until the file says otherwise.",
    ],
  };
}

/** Of a card that nobody has seen yet. */
const USUAL_GPU_BYTES = 16e9;

/** What the repository is, for each kind of device: box or no box, the file may go to another one. */
function findingsOf(repository: Repository, wishes: Omit<DraftWishes, "id">, dtypes: DraftWishes["dtypes"]) {
  const { pipeline, room } = wishes;
  const findOn = (kind: DeviceKind) => {
    const isSame = (kind === "cpu") === (room?.kind === "cpu");
    const known = room && isSame ? room.bytes : kind === "cpu" ? undefined : USUAL_GPU_BYTES;
    const wish: Wishes = {
      kind,
      ...(dtypes?.[kind] && { dtype: dtypes[kind] }),
      ...(known !== undefined && { room: { kind, bytes: known } }),
      ...(pipeline && { pipeline }),
    };
    const finding = familyOf(repository, wish)(repository, wish);
    expectWished(repository, finding, wish);
    return finding;
  };
  return { cpu: findOn("cpu"), webgpu: findOn("webgpu"), cuda: findOn("cuda") };
}

/** Families of language models have some that give meanings. */
function languageOrMeaning(...given: Parameters<Family>): Finding {
  return (isEmbedding(given[0]) ? encoder : language)(...given);
}

function expectWished({ repo }: Repository, { pipeline }: Finding, wishes: Wishes): void {
  if (wishes.pipeline === undefined || wishes.pipeline === pipeline) return;
  throw new ForecourtError("misconfigured", `${repo} runs through ${pipeline}, not ${wishes.pipeline}.`);
}

function familyOf(repository: Repository, wishes: Wishes): Family {
  const known = wishes.pipeline === "embed" ? EMBEDDING : TRANSFORMERS;
  const className = configOf(repository, "model_index.json")._class_name;
  if (typeof className === "string")
    return DIFFUSERS[className.replace(/^(ORT|Onnx)/, "")] ?? unknown(repository, className);
  if (hasSupertone(repository)) return supertone;
  const { model_type: type, architectures } = configOf(repository, "config.json");
  if (isYoloPose(repository, type)) return yoloPose;
  if (typeof type === "string")
    return labellingOf(type, architectures) ?? known[type] ?? unknown(repository, nameOf(type, architectures));
  const bare = bareFamily(repository, wishes);
  if (bare) return bare;
  throw new ForecourtError(
    "misconfigured",
    `${repository.repo} does not say what it is: it has neither a model_index.json with a _class_name nor a config.json with a model_type, nor files of names that are known: ${bareNames}. Another graph may be run by a file of your own, see models/README.md (\`pipeline: onnx\`).`,
    { details: { reason: "unknown_architecture" } },
  );
}

const nameOf = (type: string, architectures: unknown) =>
  Array.isArray(architectures) && architectures.length > 0 ? `${type} (${architectures.join(", ")})` : type;

function unknown({ repo }: Repository, architecture: string): never {
  const known = [...Object.keys(DIFFUSERS), ...Object.keys(TRANSFORMERS)].join(", ");
  throw new ForecourtError(
    "misconfigured",
    `${repo} is of the architecture ${architecture}, which no pipeline of this version runs (${pipelineNames.join(", ")}). Known are: ${known}.`,
    { details: { reason: "unknown_architecture", architecture } },
  );
}

/** Ids are in lower case; the Hub's oldest repositories have no owner. */
const idOf = (repo: string) => (repo.includes("/") ? repo : `hub/${repo}`).toLowerCase();

const licenceDoubt = ({ licence }: Repository) =>
  licence === undefined
    ? "Its licence is not stated: it counts as not for commercial use until you say otherwise."
    : `Its licence, ${licence}, is not known to allow commercial use: read it and set licence.commercial.`;
