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
  ["minProperties", { type: "object", minProperties: 1, maxProperties: 3 }],
  [
    "minProperties of named ones",
    {
      type: "object",
      properties: { a: { type: "null" }, b: { type: "boolean" }, c: { const: 1 } },
      minProperties: 2,
      maxProperties: 2,
    },
  ],
  ["propertyNames, a list", { type: "object", propertyNames: { enum: ["x", "y"] }, minProperties: 1 }],
  ["propertyNames, a pattern", { type: "object", propertyNames: { pattern: "^x_[a-z]$" }, maxProperties: 2 }],
  ["required only", { required: ["é", '"'] }],
  ["pattern with lengths", { type: "string", pattern: "b|^a+$", minLength: 2, maxLength: 5 }],
  ["pattern of characters with escapes", { type: "string", pattern: '^["\\\\\\n😀\\t\\x01]{1,4}$' }],
  ["date-time", { type: "string", format: "date-time" }],
  [
    "integer above all bounds",
    { type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
  ],
  ["small fractions", { type: "number", exclusiveMinimum: -1e-7, exclusiveMaximum: 2.5e-7 }],
  ["multiples", { type: "integer", multipleOf: 6, minimum: -20, exclusiveMaximum: 1000 }],
  [
    "anyOf beside properties",
    {
      type: "object",
      properties: { a: { type: "null" }, b: { type: "null" } },
      anyOf: [{ required: ["a"] }, { required: ["b"] }],
    },
  ],
  ["items", { type: "array", items: { enum: [1, 2] }, maxItems: 4 }],
  [
    "prefixItems",
    { type: "array", prefixItems: [{ const: 1 }, { type: "string", maxLength: 2 }], items: false },
  ],
  ["minItems", { type: "array", items: { type: "boolean" }, minItems: 2, maxItems: 3 }],
  ["minLength, maxLength", { type: "string", minLength: 3, maxLength: 4 }],
  ["minimum, maximum", { type: "integer", minimum: -3, maximum: 12 }],
  ["exclusive bounds", { type: "integer", exclusiveMinimum: -3, exclusiveMaximum: -1 }],
  ["bounds of fractions", { type: "number", minimum: 0.25, maximum: 0.75 }],
  ["anyOf", { anyOf: [{ type: "integer" }, { type: "array", items: { type: "null" }, maxItems: 2 }] }],
  [
    "oneOf",
    {
      oneOf: [
        { type: "integer", maximum: 5 },
        { type: "string", maxLength: 2 },
      ],
    },
  ],
  ["allOf", { allOf: [{ type: "integer", minimum: 3 }, { maximum: 6 }] }],
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
