// Python packages for a test, in an environment of their own.
import { join } from "node:path";
import { madeOnce, succeeds } from "./made-once.ts";

/**
 * The `bin` folder of an environment with these packages, pinned as pip writes them (`name==1.2.3`); undefined where
 * there is no Python with venv, or no way to the packages.
 */
export function pythonWith(...requirements: readonly string[]): string | undefined {
  // What is imported is compiled then; the rest, which is most, never.
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", ...requirements];
  const folder = madeOnce(
    `venv-${requirements.join("-").replace(/[^\w.-]+/g, "-")}`,
    (each) => succeeds(["python3", "-m", "venv", each]) && succeeds([join(each, "bin", "python"), ...pip]),
  );
  return folder && join(folder, "bin");
}
