// Stores the tuner's choices in a browser: small files in the origin private file system.
// https://fs.spec.whatwg.org/#origin-private-file-system
import { readWhole } from "../store/opfs.ts";
import type { TuningStore } from "./tuning.ts";

const FOLDER = "sirocco-tuning";

export const tuningOpfs: TuningStore = {
  async read(name) {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    const bytes = await readWhole(folder, name);
    return bytes.length > 0 ? new TextDecoder().decode(bytes) : undefined;
  },
  async write(name, text) {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    // Takes effect on close, so a reader never sees half of it.
    const file = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await file.write(text);
    await file.close();
  },
};
