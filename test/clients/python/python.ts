// fal's Python client in an environment of its own.
import { join } from "node:path";
import { pythonWith } from "../../support/python-venv.ts";

/** Pinned: another release may behave differently. */
const FAL_CLIENT = "1.0.3";

/** The interpreter that has fal_client; undefined where there is no Python with venv, or no way to the package. */
export function pythonWithFalClient(): string | undefined {
  const bin = pythonWith(`fal-client==${FAL_CLIENT}`);
  return bin === undefined ? undefined : join(bin, "python");
}
