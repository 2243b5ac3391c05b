// Loaded before the server: its clock goes wrong by as many milliseconds as the file FORECOURT_CHAOS_CLOCK says.
import { readFileSync } from "node:fs";

const file = process.env.FORECOURT_CHAOS_CLOCK ?? "";
const real = Date.now.bind(Date);
let offset = 0;
const read = () => {
  try {
    offset = Number(readFileSync(file, "utf8")) || 0;
  } catch {
    offset = 0; // it is being written, or was never
  }
};
read();
setInterval(read, 100).unref();
Date.now = () => real() + offset;
