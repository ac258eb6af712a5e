// A folder for large files, which goes when the program ends.
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

/** Linux's type of a file system in memory: files there would take the memory that the model needs. */
const TMPFS = 0x01021994;
/** Disk space to leave free. */
const SPARE_BYTES = 2 ** 29;

const gigabytes = (/** @type {number} */ bytes) => `${(bytes / 1e9).toFixed(2)} GB`;

/**
 * Ends the program if `bytes` do not fit.
 * @param {string} parent @param {number} bytes
 */
export function temporaryFolder(parent, bytes) {
  const { bavail, bsize, type } = statfsSync(parent);
  if (bavail * bsize < bytes + SPARE_BYTES) {
    console.error(
      `${parent}: expected ${gigabytes(bytes + SPARE_BYTES)} free, got ${gigabytes(bavail * bsize)}. ` +
        "Name another folder with --folder, or fewer layers with --layers.",
    );
    process.exit(1);
  }
  if (type === TMPFS) {
    console.error(`${parent}: expected a folder on a disk, got one in memory. Name another with --folder.`);
    process.exit(1);
  }
  const folder = mkdtempSync(join(parent, "sirocco-full-size-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
  return folder;
}
