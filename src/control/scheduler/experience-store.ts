// SQL of what running models taught.
import { inArray } from "drizzle-orm";
import { asId, type DeviceId, type ModelId } from "../../core/ids.ts";
import { instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { measureTable, popularityTable } from "./experience.table.ts";
import type { Popularity } from "./popularity.ts";

/** Absent parts were not measured yet. `memory` in bytes, `runMs` of one job. */
export type Measure = { memory?: number; loadMs?: number; runMs?: number };
export type Measured = { model: ModelId; device: DeviceId } & Measure;

export type ExperienceStore = {
  popularity(): [ModelId, Popularity][];
  measures(): Measured[];
  /** What was measured of `forgotten` models goes first. */
  save(changed: { popularity: [ModelId, Popularity][]; measures: Measured[]; forgotten: ModelId[] }): void;
};

export function createExperienceStore({ orm, write }: Database): ExperienceStore {
  return {
    popularity: () =>
      orm
        .select()
        .from(popularityTable)
        .all()
        .map(({ model, at, since, ...rest }) => [
          asId<ModelId>(model),
          { ...rest, at: instant(at), since: instant(since) },
        ]),
    measures: () =>
      orm
        .select()
        .from(measureTable)
        .all()
        .map(({ model, device, memory, loadMs, runMs }) => ({
          ...{ model: asId<ModelId>(model), device: asId<DeviceId>(device) },
          ...(memory !== null && { memory }),
          ...(loadMs !== null && { loadMs }),
          ...(runMs !== null && { runMs }),
        })),
    save: ({ popularity, measures, forgotten }) =>
      write(() => {
        if (forgotten.length > 0) orm.delete(measureTable).where(inArray(measureTable.model, forgotten)).run();
        for (const [model, values] of popularity) {
          const row = { model, ...values };
          orm.insert(popularityTable).values(row).onConflictDoUpdate({ target: popularityTable.model, set: row }).run();
        }
        for (const { model, device, memory = null, loadMs = null, runMs = null } of measures) {
          const row = { model, device, memory, loadMs, runMs };
          const target = [measureTable.model, measureTable.device];
          orm.insert(measureTable).values(row).onConflictDoUpdate({ target, set: row }).run();
        }
      }),
  };
}
