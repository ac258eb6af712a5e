// What an answer may look like.
import type { Finish } from "./answer.ts";

/** A JSON Schema (2020-12), as data. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/**
 * What an answer has to be, token by token. Anything that it asks for and that cannot be held to is refused
 * before the first token.
 */
export type AnswerFormat =
  /** Any text: the same as no format. */
  | { readonly type: "text" }
  /** A JSON object. */
  | { readonly type: "json" }
  /** A JSON value that a schema allows. */
  | { readonly type: "json_schema"; readonly schema: JsonSchema }
  /** A text that matches a regular expression (JavaScript's, flag `u`) as a whole. */
  | { readonly type: "regex"; readonly pattern: string }
  /** One of these texts. */
  | { readonly type: "choice"; readonly choices: readonly string[] }
  /** A text of a context-free grammar, in EBNF as of XGrammar and llama.cpp (GBNF). */
  | { readonly type: "grammar"; readonly grammar: string };

/**
 * A schema of zod ≥ 4.2, or of another library with the interface StandardSchemaV1 and its `jsonSchema`
 * (standardschema.dev).
 */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
    readonly jsonSchema: { readonly input: (options: { readonly target: "draft-2020-12" }) => object };
  };
}

/** What a `StandardSchema` says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly unknown[] | undefined;
      }[];
    };

/** Result of `Model.extract`. */
export interface Extraction<Output> {
  /** What the schema makes of the answer; the parsed JSON for a JSON Schema. */
  readonly value: Output;
  /** The answer as JSON. */
  readonly text: string;
  readonly finish: Finish;
}
