declare module "mistral-tokenizer-js" {
  const tokenizer: {
    readonly vocabById: readonly string[];
    /** "left right" to rank, in order of rank. */
    readonly merges: ReadonlyMap<string, number>;
    encode(text: string, bos?: boolean, leadingSpace?: boolean): number[];
    decode(ids: readonly number[], bos?: boolean, leadingSpace?: boolean): string;
  };
  export default tokenizer;
}
