// What a sequence uses of the loaded LoRA adapters.

/** A LoRA adapter that is loaded. */
export interface LoadedAdapter {
  readonly name: string;
  /** SHA-256 of its contents, in hexadecimal digits: a session names what it was computed with. */
  readonly digest: string;
}

/** An adapter as a sequence uses it. */
export interface AdapterUse<Loaded = LoadedAdapter> {
  readonly adapter: Loaded;
  /** Factor of what it adds. */
  readonly scale: number;
}

export const sameUse = (a: AdapterUse | undefined, b: AdapterUse | undefined): boolean =>
  a?.adapter === b?.adapter && a?.scale === b?.scale;
