// Triangles in space, as glTF has them: right-handed, y up, the front towards +z, seen from outside counter-clockwise.

export type Mesh = {
  /** x, y, z of each vertex. */
  positions: Float32Array;
  /** Three vertices for each triangle. */
  indices: Uint32Array;
  /** Of length 1, x, y, z for each vertex. */
  normals?: Float32Array;
  /** Red, green, blue for each vertex, as pictures have them (sRGB). */
  colours?: Uint8Array;
  texture?: Texture;
};

/** A picture file, and where in it each vertex lies: u, v from the upper left corner, 1 = the whole edge. */
export type Texture = { uvs: Float32Array; bytes: Uint8Array; contentType: "image/png" | "image/jpeg" };

/** Points without surface, with what a mesh has for each of its vertices. */
export type Points = Pick<Mesh, "positions" | "normals" | "colours">;
