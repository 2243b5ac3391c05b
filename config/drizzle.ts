// drizzle-kit's configuration: `bunx drizzle-kit generate --config config/drizzle.ts --name WHAT` after a table changed.
import { defineConfig } from "drizzle-kit";

// biome-ignore lint/style/noDefaultExport: drizzle-kit reads the default export.
export default defineConfig({
  dialect: "sqlite",
  schema: "./src/control/*/*.table.ts",
  out: "./src/control/database/migrations",
});
