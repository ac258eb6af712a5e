import type { JsonSchema } from "../../../engine/types/format.ts";
/** A schema for each keyword that is held to, at values where it decides. */
export const KEYWORDS: readonly (readonly [string, JsonSchema])[] = [
  ["true", true],
  ["type, one", { type: "boolean" }],
  ["type, several", { type: ["integer", "null"] }],
  ["type number", { type: "number" }],
  ["enum", { enum: ["red", 1, 2.5, null, true, [1, "a"], { a: { b: [] } }] }],
  ["enum of texts with escapes", { enum: ['"', "\\", "\n", "é", "😀", "\u2028", ""] }],
  ["const", { const: { a: [1, { b: "ü" }] } }],
  ["properties, required", { type: "object", properties: { a: { type: "integer" } }, required: ["a", "b"] }],
  [
    "additionalProperties false",
    { type: "object", properties: { "a b": true }, additionalProperties: false },
  ],
  [
    "additionalProperties a schema",
    { type: "object", additionalProperties: { type: "boolean" }, maxProperties: 2 },
  ],
  ["minProperties", { type: "object", minProperties: 2, maxProperties: 3 }],
  ["items", { type: "array", items: { enum: [1, 2] }, maxItems: 4 }],
  [
    "prefixItems",
    { type: "array", prefixItems: [{ const: 1 }, { type: "string", maxLength: 2 }], items: false },
  ],
  ["minItems", { type: "array", items: { type: "boolean" }, minItems: 2, maxItems: 3 }],
  [
    "uniqueItems",
    { type: "array", items: { enum: [1, 1.0, 2, 3] }, uniqueItems: true, minItems: 2, maxItems: 3 },
  ],
  ["minLength, maxLength", { type: "string", minLength: 3, maxLength: 4 }],
  ["minimum, maximum", { type: "integer", minimum: -3, maximum: 12 }],
  ["exclusive bounds", { type: "integer", exclusiveMinimum: -3, exclusiveMaximum: -1 }],
  ["multipleOf", { type: "integer", multipleOf: 7, minimum: 0, maximum: 100 }],
  ["bounds of fractions", { type: "number", minimum: 0.25, maximum: 0.75 }],
  ["anyOf", { anyOf: [{ type: "integer" }, { type: "array", items: { type: "null" }, maxItems: 2 }] }],
  [
    "oneOf",
    {
      oneOf: [
        { type: "integer", maximum: 5 },
        { type: "integer", minimum: 3, maximum: 9 },
      ],
    },
  ],
  ["allOf", { allOf: [{ type: "integer", minimum: 3 }, { maximum: 6 }] }],
  ["not", { type: "integer", minimum: 0, maximum: 9, not: { enum: [4, 5] } }],
  ["$ref, $defs", { $ref: "#/$defs/a", $defs: { a: { enum: ["x", "y"] } } }],
  [
    "a tree",
    {
      $ref: "#/$defs/node",
      $defs: {
        node: {
          type: "object",
          properties: {
            name: { enum: ["n"] },
            kids: { type: "array", items: { $ref: "#/$defs/node" }, maxItems: 2 },
          },
          required: ["name"],
          additionalProperties: false,
        },
      },
    },
  ],
];
