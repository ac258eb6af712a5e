// What an answer may look like.

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
  /** A text of a grammar in EBNF, as xgrammar and llama.cpp (GBNF) write it; its first rule is `root`. */
  | { readonly type: "grammar"; readonly grammar: string };

/**
 * A schema of zod ≥ 4.2, or of another library with the interface StandardSchemaV1 and its `jsonSchema`
 * (standardschema.dev).
 */
export interface StandardSchema<Output = unknown> {
  /** What the library says of the schema. */
  readonly "~standard": {
    /** Of the interface. */
    readonly version: 1;
    /** Checks a value, and may change it. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** For the compiler only. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
    /** The schema as JSON Schema. */
    readonly jsonSchema: {
      /** Of the values that `validate` takes. */
      readonly input: (options: { readonly target: "draft-2020-12" }) => object;
    };
  };
}

/** What a `StandardSchema` says of a value. */
export type SchemaResult<Output> =
  | {
      /** What the schema makes of the value. */
      readonly value: Output;
      /** None. */
      readonly issues?: undefined;
    }
  | {
      /** Why the schema refuses the value. */
      readonly issues: readonly {
        /** What is wrong. */
        readonly message: string;
        /** Where it is wrong. */
        readonly path?: readonly unknown[] | undefined;
      }[];
    };
