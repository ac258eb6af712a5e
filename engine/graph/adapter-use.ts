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

/** Adapters that apply together, at least one, as `mixOf` makes it: mixes that compute the same are equal. */
export type AdapterMix<Loaded = LoadedAdapter> = readonly AdapterUse<Loaded>[];

/** What adds something of these, in the order in which the adapters were loaded. undefined: none of them. */
export function mixOf<Loaded>(
  uses: readonly AdapterUse<Loaded>[],
  loaded: readonly Loaded[],
): AdapterMix<Loaded> | undefined {
  const place = ({ adapter }: AdapterUse<Loaded>): number => loaded.indexOf(adapter);
  const mix = uses.filter(({ scale }) => scale !== 0).toSorted((a, b) => place(a) - place(b));
  return mix.length > 0 ? mix : undefined;
}

export const sameMix = (a: AdapterMix = [], b: AdapterMix = []): boolean =>
  a.length === b.length &&
  a.every(({ adapter, scale }, i) => adapter === b[i]?.adapter && scale === b[i]?.scale);
