// The sampling options of a chat, which /set changes.
import { Command, type Option } from "commander";
import { errorMessage } from "./errors.ts";
import { addSamplingOptions, type SamplingOptions } from "./options.ts";
import { expected, randomSeed } from "./parse.ts";

// Their names and parsers. The defaults do not matter here.
const OPTIONS = addSamplingOptions(new Command(), 1).options;

/** Names that /set takes: those of the command line's options, without dashes. */
export const settingNames: readonly string[] = OPTIONS.map((option) => option.name());

export class Settings {
  readonly #initial: SamplingOptions;
  #options: SamplingOptions;
  /** Seed of the next answer. */
  #seed: number;

  /** @param options of the command line */
  constructor(options: SamplingOptions) {
    this.#initial = options;
    this.#options = options;
    this.#seed = options.seed ?? randomSeed();
  }

  get options(): SamplingOptions {
    return this.#options;
  }

  /** A seed for an answer. Each has another, so that the same question asked again gets another answer. */
  takeSeed(): number {
    const seed = this.#seed;
    this.#seed = (seed + 1) % 2 ** 32;
    return seed;
  }

  /**
   * Changes an option for the rest of the chat.
   * @param text checked as on the command line; on or off of a switch; empty: the value at the start
   * @returns the value, or what is wrong, in a sentence
   */
  set(name: string, text: string): string {
    const option = OPTIONS.find((each) => each.name() === name);
    if (!option) return `/set ${name}: no such setting. /set lists them.`;
    const key = keyOf(option);
    try {
      const value = text === "" ? this.#initial[key] : parse(option, text);
      this.#options = { ...this.#options, [key]: value };
    } catch (error) {
      return errorMessage(error).replace(/^--/, "/set ");
    }
    if (key === "seed") this.#seed = this.#options.seed ?? randomSeed();
    return `${name} is ${this.#shown(option)}.`;
  }

  /** Names and values. */
  rows(): [name: string, value: string][] {
    return OPTIONS.map((option) => [option.name(), this.#shown(option)]);
  }

  #shown(option: Option): string {
    const value = this.#options[keyOf(option)];
    if (option.long === "--seed") return `${this.#seed}`;
    if (option.isBoolean()) return value ? "on" : "off";
    return value === undefined ? "none" : JSON.stringify(value);
  }
}

const keyOf = (option: Option) => option.attributeName() as keyof SamplingOptions;

function parse(option: Option, text: string): unknown {
  if (!option.isBoolean()) return option.parseArg?.<unknown>(text, undefined);
  if (text === "on" || text === "off") return text === "on";
  throw expected(`--${option.name()}`, "on or off", text);
}
