import type { JsonSchema } from "../../types/format.ts";
import type { Expression } from "../grammar.ts";
import type { Part } from "./schema-part.ts";

/** What the texts of each type are made with. */
export interface Compiler {
  readonly root: JsonSchema;
  /** The texts of a value that all these schemas allow. */
  compile(parts: readonly Part[]): Expression;
  /** Adds rules. */
  add(rules: ReadonlyMap<string, Expression>): void;
}
