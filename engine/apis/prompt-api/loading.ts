// The model behind `LanguageModel`: loaded already, or by the first session.
import type { Progress } from "../../api.ts";
import type { LanguageModelAvailability, LanguageModelBackend, LanguageModelTarget } from "./types.ts";

export class Loading {
  readonly #given: LanguageModelBackend["model"];
  #model: Promise<LanguageModelTarget> | undefined;
  #isLoaded = false;
  /** Those who wait, by how much is loaded, 0 … 1. */
  readonly #monitors = new Set<(loaded: number) => void>();
  #loaded = 0;

  constructor(given: LanguageModelBackend["model"]) {
    this.#given = given;
    if (typeof given === "function") return;
    // Who asks for it gets the error.
    void this.#open().catch(() => {});
    this.#isLoaded = !("then" in given);
  }

  get availability(): LanguageModelAvailability {
    if (this.#isLoaded) return "available";
    return this.#model ? "downloading" : "downloadable";
  }

  /** @param monitor is called with 0, with progress, and with 1 */
  async model(monitor: (loaded: number) => void): Promise<LanguageModelTarget> {
    this.#monitors.add(monitor);
    monitor(0);
    try {
      const model = await this.#open();
      monitor(1);
      return model;
    } finally {
      this.#monitors.delete(monitor);
    }
  }

  #open(): Promise<LanguageModelTarget> {
    this.#model ??= this.#load();
    return this.#model;
  }

  async #load(): Promise<LanguageModelTarget> {
    const given = this.#given;
    try {
      const model = await (typeof given === "function"
        ? given({ onProgress: (progress) => this.#onProgress(progress) })
        : given);
      this.#isLoaded = true;
      return model;
    } catch (error) {
      this.#model = undefined;
      this.#loaded = 0;
      throw error;
    }
  }

  /** Progress never goes back, though stages follow each other. The end is told by `model`. */
  #onProgress({ stage, loaded, total }: Progress): void {
    const part = loaded / total;
    if (stage === "tune" || !(part > this.#loaded && part < 1)) return;
    this.#loaded = part;
    for (const monitor of this.#monitors) monitor(part);
  }
}
