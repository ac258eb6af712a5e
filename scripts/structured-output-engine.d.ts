// The part of @huggingface/transformers-structured-output that is bundled: its machine for JSON Schema. The
// package exports only a class for Transformers.js. Types are narrowed to what is used.
/**
 * @param schema is kept, and looked up by the objects in it
 * @param longest bytes of the longest token
 * @throws TypeError, Error with the JSON path of what is not supported
 */
export function compileJsonSchema(
  schema: boolean | { [keyword: string]: unknown },
  longest: number,
): {
  readonly initial: unknown;
  transition(state: unknown, byte: number): unknown;
  viable(state: unknown): boolean;
  accepting(state: unknown): boolean;
  stringCapacity(state: unknown): number | undefined;
  maskKey(state: unknown): string | undefined;
};
