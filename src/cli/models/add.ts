// `forecourt models add`: a Hub repository becomes a model of this box.
import { Command, Option } from "commander";
import { type AddedModel, addModel } from "../../control/catalog/add/add-model.ts";
import type { Room } from "../../control/catalog/add/finding.ts";
import { memoryBudget } from "../../control/choose-device.ts";
import type { Settings } from "../../control/settings.ts";
import { hubAccess, openHub } from "../../control/weights/access.ts";
import { type DeviceKind, deviceKinds } from "../../core/device.ts";
import { type Dtype, dtypes } from "../../engine/dtypes.ts";
import { type PipelineName, pipelineNames } from "../../engine/pipelines/registry.ts";
import { wrongUsage } from "../failure.ts";
import { type SettingsFlags, settingsOf, withSettings } from "../settings-flags.ts";
import { note, printJson, printLine, sizeText } from "../terminal.ts";
import { interruptible } from "./interrupt.ts";
import { tellServer } from "./reload.ts";
import { devicesHere } from "./variants.ts";

type Flags = SettingsFlags & { id?: string; dtype?: string; pipeline?: PipelineName; json?: true };

export const add = () =>
  withSettings(new Command("add"))
    .summary("make a model of a Hub repository")
    .description("Reads what a Hub repository says of itself and writes a model file to <data>/models.")
    .argument("<repository>", "OWNER/REPO, or OWNER/REPO@REVISION for a branch, tag or commit")
    .option("--id <id>", "id of the model; default: the repository's name in lower case")
    .option(
      "--dtype <dtypes>",
      `which of the graphs to take: one for all devices, or for some, e.g. cpu=q8,cuda=fp16 (${dtypes.join(", ")})`,
    )
    .addOption(
      new Option("--pipeline <pipeline>", "what to use it for, e.g. embed for the embeddings of a CLIP").choices(
        pipelineNames,
      ),
    )
    .option("--json", "print as JSON")
    .addHelpText("after", "\nExample: forecourt models add Xenova/clip-vit-base-patch32 --id acme/clip")
    .action(async (name: string, { id, dtype, pipeline, json, ...flags }: Flags) => {
      const { settings, origins } = settingsOf(flags);
      const room = await roomOf(settings);
      const added = await interruptible("Stopped. Nothing was written.", (signal) =>
        addModel({
          ...repositoryOf(name),
          data: settings.data,
          wishes: {
            ...(id && { id }),
            ...(dtype && { dtypes: wishedDtypes(dtype) }),
            ...(pipeline && { pipeline }),
            ...(room && { room }),
          },
          tools: { ...openHub(hubAccess(settings), note), signal },
        }),
      );
      if (json) printJson(added);
      else print(added);
      await tellServer({ settings, origins });
    });

/** `q4` is meant for all kinds of device; what is said of one kind counts for that. */
function wishedDtypes(text: string): Partial<Record<DeviceKind, Dtype>> {
  const wishes = text.split(",").map((each) => {
    const [first = "", second] = each.trim().split("=");
    const dtype = dtypes.find((each) => each === (second ?? first));
    const kinds = second === undefined ? deviceKinds : deviceKinds.filter((kind) => kind === first);
    if (!dtype || kinds.length === 0)
      throw wrongUsage(
        `--dtype ${text}: write one of ${dtypes.join(", ")}, alone or after ${deviceKinds.join("=, ")}=.`,
      );
    return { dtype, kinds };
  });
  const general = wishes.toSorted((a, b) => b.kinds.length - a.kinds.length);
  return Object.fromEntries(general.flatMap(({ dtype, kinds }) => kinds.map((kind) => [kind, dtype])));
}

/** Of the device that models are placed on first, as far as it is known without trying; undefined: there is none of that kind. */
async function roomOf(settings: Settings): Promise<Room | undefined> {
  const [first] = await devicesHere(settings);
  return first && { kind: first.kind, bytes: memoryBudget(first, settings.memory) };
}

/** Also of its page's address, as browsers show it. */
function repositoryOf(name: string): { repo: string; revision: string } {
  if (/^[./~]/.test(name))
    throw wrongUsage(
      `${name} is not a repository such as OWNER/REPO. A folder of this machine is named by source.path of a model file; models/README.md has a whole one.`,
    );
  const [, page = name, branch] = PAGE.exec(name) ?? [];
  const [repo = "", revision = branch ?? "main", ...rest] = page.split("@");
  const isGood = /^[\w.-]+(\/[\w.-]+)?$/.test(repo) && revision !== "" && rest.length === 0;
  if (!isGood) throw wrongUsage(`${name} is not a repository such as OWNER/REPO or OWNER/REPO@REVISION.`);
  return { repo, revision };
}

const PAGE = /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/([^/]+\/[^/]+)(?:\/tree\/([^/]+))?\/?$/;

function print({ model, file, bytes, unsure }: AddedModel): void {
  printLine(file);
  note(`${model.id} runs through ${model.pipeline}; its weights are ${sizeText(bytes)}.`);
  for (const sentence of unsure) note(`- ${sentence}`);
  note(`Fetch them with \`forecourt models pull ${model.id}\`; a running server fetches them by itself.`);
}
