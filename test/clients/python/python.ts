// fal's Python packages, each in an environment of its own.
import { join } from "node:path";
import { pythonWith } from "../../support/python-venv.ts";

/** Pinned: another release may behave differently. */
export const FAL_CLIENT_PYTHON = "fal-client==1.0.3";

/** Likewise: the package that apps are written with, which has a client of its own, `fal.apps`. */
const FAL = "1.83.0";

/** The interpreter that has fal_client; undefined where there is no Python with venv, or no way to the package. */
export const pythonWithFalClient = () => interpreterWith(FAL_CLIENT_PYTHON);
export const pythonWithFal = () => interpreterWith(`fal==${FAL}`);

function interpreterWith(requirement: string): string | undefined {
  const bin = pythonWith(requirement);
  return bin === undefined ? undefined : join(bin, "python");
}
