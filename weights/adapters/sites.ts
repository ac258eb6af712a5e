// Which tensors of the model a module of an adapter is about.
import type { ModelConfig } from "../model-config.ts";
import { fileLayout } from "../safetensors/file-layouts.ts";
import { requiredTensors } from "../safetensors/names.ts";
import type { RequiredTensor } from "../tensors.ts";

/** A tensor of the model, and its rows [from, to) in the module's. */
export interface Site extends RequiredTensor {
  readonly from: number;
  readonly to: number;
}

/** The tensors of the model, by module. */
export class Sites {
  readonly #known: ReadonlyMap<string, RequiredTensor>;
  readonly #isFused: boolean;
  /** Names of the model's tensors in a tensor of the files. */
  readonly #namesIn: (stored: string) => string[];

  constructor(config: ModelConfig) {
    // In a model that also sees, a path begins with that of the language model.
    this.#namesIn = fileLayout(config, true).namesIn;
    this.#isFused = config.architecture === "Phi3ForCausalLM";
    // A tied lm_head is a module of its own.
    const required = requiredTensors({ ...config, tied: false });
    this.#known = new Map(required.map((each) => [each.name, each]));
  }

  /** Paths of the model's modules that end with this name. */
  named(name: string): readonly string[] {
    const end = ".weight";
    return [...this.#known.keys()].flatMap((each) =>
      `.${each}`.endsWith(`.${name}${end}`) ? each.slice(0, -end.length) : [],
    );
  }

  /**
   * The tensors of a module in the order of its rows: one, or those of a fused matrix. Empty: there is none.
   * @param end "weight" or "bias"
   */
  at(path: string, end: "weight" | "bias"): readonly Site[] {
    const names = this.#namesIn(`${path}.${end}`);
    if (names.length > 1 && !this.#isFused) return [];
    let to = 0;
    const sites = names.flatMap((name) => {
      const tensor = this.#known.get(name);
      const from = to;
      to += tensor?.shape[0] ?? 0;
      return tensor ? { ...tensor, from, to } : [];
    });
    return sites.length === names.length ? sites : [];
  }
}
