// 3D models at the border of a pipeline, as files.
import type { SavedFile, Task } from "../../core/pipeline.ts";
import type { Mesh, Points } from "../mesh/mesh.ts";
import { writeGlb } from "./glb.ts";
import { writeObj } from "./obj.ts";
import { writePly } from "./ply.ts";

type Saving = Pick<Task<unknown>, "save">;

export type MeshFormat = "glb" | "obj";

/** As `mesh.glb` or `mesh.obj`. */
export async function saveMesh(task: Saving, mesh: Mesh, format: MeshFormat): Promise<SavedFile> {
  const name = `mesh.${format}`;
  if (format === "obj") return await task.save(writeObj(mesh), { name, contentType: "model/obj" });
  return await task.save(await writeGlb({ nodes: [{ name: "mesh", mesh }] }), {
    name,
    contentType: "model/gltf-binary",
  });
}

/** As `points.ply`. */
export const savePoints = async (task: Saving, points: Points): Promise<SavedFile> =>
  await task.save(writePly(points), { name: "points.ply", contentType: "application/octet-stream" });
