// The progress bar on stderr while a model is downloaded and loaded.
import { SingleBar } from "cli-progress";
import type { Context } from "./context.ts";
import { downloadNote } from "./download-note.ts";
import type { Progress } from "./engine.ts";
import { formatBytes, formatDuration } from "./format.ts";
import type { Sink } from "./io.ts";
import type { OutputOptions } from "./options.ts";

/** Columns of the bar: the longest line without its name then fits 80 columns. */
const BAR = 14;
/** Columns left free, where a terminal echoes ^C. After a full line it goes to the next one, then the bar. */
const KEYS = 4;

/**
 * Runs `work` and draws its progress, unless stderr is not a terminal or --quiet is set. Nothing is drawn
 * after `work` is done: a model that loses its device reports progress again, in the middle of an answer.
 */
export async function withProgress<T>(
  context: Context,
  { quiet = false }: OutputOptions,
  work: (onProgress: (progress: Progress) => void) => Promise<T>,
): Promise<T> {
  const { io, output } = context;
  const note = quiet ? () => {} : downloadNote(context);
  if (quiet || !output.stderrIsTerminal) return work(note);
  const bar = new ProgressBar(io.stderr);
  let done = false;
  try {
    return await work((progress) => {
      note(progress);
      if (!done) bar.update(progress);
    });
  } finally {
    done = true;
    bar.clear();
  }
}

const VERBS = { download: "Downloading", tune: "Tuning", load: "Loading" } as const;

class ProgressBar {
  readonly #stream: Sink;
  #bar: SingleBar | undefined;
  #stage: Progress["stage"] | undefined;
  #rate = new Rate(0);

  constructor(stream: Sink) {
    this.#stream = stream;
  }

  update({ stage, name, loaded, total }: Progress): void {
    if (stage !== this.#stage) {
      this.clear();
      this.#stage = stage;
      this.#rate = new Rate(loaded);
      this.#bar = new SingleBar({
        stream: this.#stream,
        clearOnComplete: true,
        // Without this the bar turns the terminal's wrapping off, and a second Ctrl-C leaves it off.
        linewrap: true,
        format: (_, { value, total }, { name }) =>
          progressLine(stage, String(name), value, total, this.#rate.bytesPerMs(value)).slice(
            0,
            (this.#stream.columns ?? 80) - KEYS,
          ),
      });
      this.#bar.start(total, loaded, { name });
    }
    this.#bar?.setTotal(total);
    this.#bar?.update(loaded, { name });
  }

  clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#stage = undefined;
  }
}

/** Bytes a millisecond since the stage began. */
class Rate {
  readonly #from: number;
  readonly #start = performance.now();

  constructor(from: number) {
    this.#from = from;
  }

  bytesPerMs(value: number): number {
    return (value - this.#from) / Math.max(1, performance.now() - this.#start);
  }
}

/** One line of the bar. The name is last: a narrow terminal cuts it off first. */
export function progressLine(
  stage: Progress["stage"],
  name: string,
  loaded: number,
  total: number,
  bytesPerMs: number,
): string {
  const done = total > 0 ? Math.min(1, loaded / total) : 0;
  const filled = Math.round(done * BAR);
  const parts = [
    `${VERBS[stage]} [${"=".repeat(filled)}${"-".repeat(BAR - filled)}] ${String(Math.floor(done * 100)).padStart(3)} %`,
    stage === "tune" ? `${loaded} of ${total}` : `${formatBytes(loaded)} of ${formatBytes(total)}`,
  ];
  if (bytesPerMs > 0 && stage !== "tune") {
    parts.push(`${formatBytes(bytesPerMs * 1000)}/s`, `ETA ${formatDuration((total - loaded) / bytesPerMs)}`);
  }
  return `${parts.join(", ")}, ${name}`;
}
