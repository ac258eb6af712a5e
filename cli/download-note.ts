// The line before a download: how much it is, and where it is kept.
import { homedir } from "node:os";
import { sep } from "node:path";
import { hubCacheFolder } from "../weights/sources/hub-cache.ts";
import type { Context } from "./context.ts";
import type { Engine, Progress } from "./engine.ts";
import { formatBytes } from "./format.ts";

/** Takes the progress of loading; notes a download when it begins. */
export function downloadNote({ io, output }: Context): (progress: Progress) => void {
  let noted = false;
  return ({ stage, loaded, total }) => {
    if (noted || stage !== "download" || loaded >= total) return;
    noted = true;
    const there = loaded > 0 ? ` (${formatBytes(loaded)} of it are there)` : "";
    output.clearStatus();
    output.note(
      `Download: ${formatBytes(total)}${there}, kept in ${shortPath(hubCacheFolder(io.env))}. See \`sirocco models\``,
    );
  };
}

/** The engine, whose loads note a download. For commands that show no progress of loading. */
export function notingDownloads(engine: Engine, context: Context): Engine {
  const onProgress = downloadNote(context);
  return {
    ...engine,
    loadModel: (source, options) => engine.loadModel(source, { ...options, onProgress }),
  };
}

/** With ~ for the home folder. */
export function shortPath(path: string): string {
  const home = homedir();
  return path === home || path.startsWith(home + sep) ? `~${path.slice(home.length)}` : path;
}
