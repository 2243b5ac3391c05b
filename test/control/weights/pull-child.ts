// A process that pulls what its argument says, for tests that kill it or run several: prints the folder or the error.
import { pull } from "../../../src/control/weights/pull.ts";
import { toFailure } from "../../../src/core/errors.ts";

try {
  const { folder } = await pull(JSON.parse(process.argv[2] ?? ""));
  process.stdout.write(JSON.stringify({ folder }));
} catch (error) {
  process.stdout.write(JSON.stringify(toFailure(error)));
  process.exitCode = 1;
}
