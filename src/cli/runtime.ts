// `forecourt runtime`: a vendor's libraries that the executable does not carry.
import { Command } from "commander";
import { cudaPackages } from "../control/runtimes/cuda-packages.ts";
import { installCuda } from "../control/runtimes/install-cuda.ts";
import { listRuntimes, removeRuntimes } from "../control/runtimes/installed.ts";
import { hubAccess, pullLimits } from "../control/weights/access.ts";
import { ForecourtError } from "../core/errors.ts";
import { wrongUsage } from "./failure.ts";
import { createDownloadView } from "./models/download-view.ts";
import { interruptible } from "./models/interrupt.ts";
import { type SettingsFlags, settingsOf, withSettings } from "./settings-flags.ts";
import { note, printJson, printLine, sizeText, table } from "./terminal.ts";

type Flags = SettingsFlags & { json?: true; from?: string };

export const runtime = () =>
  new Command("runtime")
    .description("Installs, lists and removes the vendors' libraries that graphics cards are used with.")
    .addCommand(install())
    .addCommand(packages())
    .addCommand(list())
    .addCommand(remove());

const install = () =>
  withSettings(new Command("install"), ["data"])
    .summary("install CUDA's libraries")
    .description("Installs onnxruntime's CUDA provider and NVIDIA's libraries (2.1 GB), for Linux on x86-64.")
    .argument("<name>", "cuda")
    .option("--from <folder or URL>", "where the packages lie, instead of the setting runtime.source")
    .option("--json", "print as JSON")
    .action(async (name: string, { json, from, ...flags }: Flags) => {
      mustBeCuda(name);
      if (process.platform !== "linux" || process.arch !== "x64")
        throw new ForecourtError("misconfigured", "CUDA's libraries are there for Linux on x86-64 alone.");
      const { settings } = settingsOf(flags);
      const view = createDownloadView("cuda");
      const stopped = "Stopped. What arrived is kept: the same command goes on from there.";
      const folder = await interruptible(stopped, (signal) =>
        installCuda({
          ...{ data: settings.data, from: placeOf(from ?? settings.runtime.source), signal },
          ...{ access: hubAccess(settings), limits: pullLimits(settings), onProgress: view.take },
        }),
      ).finally(view.end);
      if (json) return printJson({ runtime: name, folder });
      printLine(folder);
      note("A server that runs takes it up when it is started again; `forecourt doctor` tries the cards.");
    });

function placeOf(text: string): { url: string } | { folder: string } {
  if (text === "")
    throw new ForecourtError(
      "misconfigured",
      "Say where the vendors' packages lie: --from FOLDER, --from URL or the setting runtime.source. `forecourt runtime packages cuda` lists them.",
    );
  return /^https?:\/\//.test(text) ? { url: text } : { folder: text };
}

const packages = () =>
  new Command("packages")
    .summary("list the packages that an installation takes")
    .description("Lists the vendors' packages that `forecourt runtime install` takes, with their hashes.")
    .argument("<name>", "cuda")
    .option("--json", "print as JSON")
    .action((name: string, { json }: { json?: true }) => {
      mustBeCuda(name);
      if (json) return printJson(cudaPackages.map(({ file, bytes, sha256 }) => ({ file, bytes, sha256 })));
      const rows = cudaPackages.map(({ file, bytes, sha256 }) => [file, sizeText(bytes), sha256]);
      printLine(table(["file", "size", "sha256"], rows));
      note("The vendors publish them in Python's package index; `pip download --no-deps` fetches them on any machine.");
    });

const list = () =>
  withSettings(new Command("list"), ["data"])
    .summary("list what is installed")
    .description("Lists the vendors' libraries in the data directory.")
    .option("--json", "print as JSON")
    .action(({ json, ...flags }: Flags) => {
      const installed = listRuntimes(settingsOf(flags).settings.data);
      if (json) return printJson(installed);
      if (installed.length === 0) return note("No runtime is installed.");
      const rows = installed.map(({ name, isUsed, bytes, folder }) => [
        ...[name, isUsed ? "used" : "of another version", sizeText(bytes), folder],
      ]);
      printLine(table(["runtime", "state", "size", "folder"], rows));
    });

const remove = () =>
  withSettings(new Command("remove"), ["data"])
    .summary("remove what is installed")
    .description("Removes a vendor's libraries from the data directory. Models then run without them.")
    .argument("<name>", "cuda")
    .option("--json", "print as JSON")
    .action((name: string, { json, ...flags }: Flags) => {
      mustBeCuda(name);
      const isRemoved = removeRuntimes(settingsOf(flags).settings.data);
      if (json) return printJson({ runtime: name, removed: isRemoved });
      note(isRemoved ? `Removed ${name}.` : `${name} is not installed.`);
    });

function mustBeCuda(name: string): void {
  if (name !== "cuda") throw wrongUsage(`There is no runtime ${name}; cuda is the one that can be installed.`);
}
