// Settings of answers and of the page, stored in this browser.
import { DEFAULT_MAX_TOKENS, DEFAULT_SAMPLING } from "../engine/options/defaults.ts";
import { Observable } from "./observable.ts";

export interface SettingValues {
  readonly system: string;
  /** Whether Mistral's system prompt for guarded answers goes before it. */
  readonly safePrompt: boolean;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly maxTokens: number;
  /** undefined: a random one for each answer. */
  readonly seed?: number;
  /** In tokens, of the next model that is loaded. undefined: the model's own. */
  readonly contextLength?: number;
  /** What answers have to be (answer-shape.ts), and what the visitor wrote for it. */
  readonly shape: string;
  readonly shapeText: string;
  /** Whether the model may ask for tools, and which they are: a JSON list (tools.ts). */
  readonly toolsOn: boolean;
  readonly tools: string;
  readonly theme: "auto" | "light" | "dark";
}

export const DEFAULTS: SettingValues = {
  system: "",
  safePrompt: false,
  ...DEFAULT_SAMPLING,
  topK: 0,
  minP: 0,
  repetitionPenalty: 1,
  maxTokens: DEFAULT_MAX_TOKENS,
  shape: "text",
  shapeText: "",
  toolsOn: false,
  tools: "",
  theme: "auto",
};

const KEY = "sirocco.settings";

export class Settings extends Observable {
  #values: SettingValues = read();

  get values(): SettingValues {
    return this.#values;
  }

  set(changes: { readonly [name in keyof SettingValues]?: SettingValues[name] | undefined }): void {
    const entries = Object.entries({ ...this.#values, ...changes }).filter(
      ([, value]) => value !== undefined,
    );
    this.#values = Object.fromEntries(entries) as unknown as SettingValues;
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#values));
    } catch {
      // Without storage the settings last as long as the page.
    }
    this.changed();
  }
}

/** The stored settings that have the right types. */
function read(): SettingValues {
  try {
    const kept: Record<string, unknown> = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const kinds: Record<string, unknown> = { ...DEFAULTS, seed: 0, contextLength: 0 };
    const usable = Object.entries(kept).filter(([name, value]) => typeof value === typeof kinds[name]);
    return { ...DEFAULTS, ...Object.fromEntries(usable) };
  } catch {
    return DEFAULTS;
  }
}
