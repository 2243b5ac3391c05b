// The versions that install.sh put beside each other, and the link in bin/ that leads to one of them.
import { existsSync, lstatSync, readlinkSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";

export type Releases = {
  /** The name that people and the service start. */
  link: string;
  current: string;
  /** The executable before the last update. */
  previous: string;
  /** What names it. */
  mark: string;
};

/**
 * From `<prefix>/lib/forecourt/<version>-<hash>/forecourt`, where `executable` is; `previous` beside these folders is install.sh's mark.
 * Throws `misconfigured` for a program that lies elsewhere or is not the one that is started, `not_found` where there is nothing to go back to.
 */
export function releasesOf(executable: string): Releases {
  const current = realpathSync(executable);
  const folder = dirname(dirname(current));
  const link = join(dirname(dirname(folder)), "bin", "forecourt");
  if (basename(folder) !== "forecourt" || basename(dirname(folder)) !== "lib" || !leadsTo(link, current))
    throw new ForecourtError(
      "misconfigured",
      `${current} was not put in place by install.sh, or is not what ${link} leads to: run the forecourt that install.sh installed, or put the older executable back by hand.`,
    );
  const mark = join(folder, "previous");
  if (!lstatSync(mark, { throwIfNoEntry: false }))
    throw new ForecourtError(
      "not_found",
      `There is no version to go back to: ${folder} has none from before an update.`,
    );
  if (!existsSync(mark))
    throw new ForecourtError("not_found", `The version before the last update is gone: ${mark} leads nowhere.`);
  // As install.sh spells it, which knows its own link again by that.
  return { link, current, previous: readlinkSync(mark), mark };
}

const leadsTo = (link: string, program: string) => existsSync(link) && realpathSync(link) === program;

/** The link leads to the older version once `make` is called; not before, and never nowhere. Throws before anything is changed where it may not be. */
export function prepareSwitch({ link, previous, mark }: Releases): { make(): void } & Disposable {
  const next = `${link}.new`;
  rmSync(next, { force: true });
  symlinkSync(previous, next);
  return {
    make() {
      renameSync(next, link);
      rmSync(mark);
    },
    [Symbol.dispose]: () => rmSync(next, { force: true }),
  };
}
