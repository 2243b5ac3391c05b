// Writes the files of this folder that follow from code: `bun run generate`. A test keeps them equal.
import { join } from "node:path";
import { modelFileSchema } from "../src/control/catalog/file-schema.ts";
import { settingsDocument } from "../src/control/settings/document.ts";
import { settingTree } from "../src/control/settings.ts";

await Bun.write(join(import.meta.dir, "appliance.yaml"), settingsDocument(settingTree));
await Bun.write(join(import.meta.dir, "model.schema.json"), modelFileSchema());
