// What callers are told of a failure: files by their names among the weights, never where these lie on the machine.
import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import type { Failure } from "../../core/errors.ts";
import type { LoadOrder } from "./load.ts";

type Places = Pick<LoadOrder, "weights" | "runtime" | "kept">;

/** `log` hears of each failure that names a folder as it is. */
export function createTeller(log: (message: string) => void) {
  let without = (text: string) => text;
  return {
    /** From now on the folders of this model are kept back. */
    keepBack(places: Places): void {
      without = withoutFolders(places);
    },
    /** The failure as callers hear of it. */
    told(failure: Failure): Failure {
      const told = JSON.stringify(failure, (_, value) => (typeof value === "string" ? without(value) : value));
      if (told === JSON.stringify(failure)) return failure;
      log(failure.message);
      return JSON.parse(told);
    },
  };
}

function withoutFolders({ weights, runtime, kept }: Places): (text: string) => string {
  // In the Hub's layout a file's own place is beside its snapshot: models--O--N/snapshots/REVISION, models--O--N/blobs.
  const repository = dirname(dirname(weights));
  const known = [weights, `${repository}/snapshots`, `${repository}/blobs`, runtime, ...(kept ? [kept.folder] : [])];
  const folders = [...new Set([...known, ...known.map(realOf)])].sort((a, b) => b.length - a.length);
  const places = folders.map((folder) => ({
    within: `${folder}/`,
    itself: new RegExp(`${escaped(folder)}(?![\\w.-])`, "g"),
  }));
  return (text) =>
    places.reduce(
      (told, { within, itself }) => told.replaceAll(within, "").replace(itself, "the model's weights"),
      text,
    );
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** A folder that is not there stands for itself. */
function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
