// The schemas of the JSON-Schema-Test-Suite: random answers to those that are accepted are valid, and all
// others are refused by keyword and path. The package on npm has draft 4, of which those schemas are taken
// that draft 2020-12 knows as well. JSON_SCHEMA_TEST_SUITE names a folder of another copy, such as
// tests/draft2020-12 of github.com/json-schema-org/JSON-Schema-Test-Suite.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { isParameterError } from "../../../engine/options/parameter.ts";
import type { JsonSchema } from "../../../engine/types/format.ts";
import { walk } from "./walk.ts";

const folder =
  process.env["JSON_SCHEMA_TEST_SUITE"] ??
  join(
    dirname(createRequire(import.meta.url).resolve("json-schema-test-suite/package.json")),
    "tests/draft4",
  );
const ANSWERS = 56;

const schemas = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .flatMap((file) => {
    const groups = JSON.parse(readFileSync(join(folder, file), "utf8")) as Record<string, unknown>[];
    return groups.map(({ schema, description }) => ({
      schema: schema as JsonSchema,
      name: `${file}: ${description}`,
    }));
  });

/** undefined: of another draft, or with references that lead out of the suite. */
function validatorOf(schema: JsonSchema) {
  try {
    // Names such as "constructor" are not properties of every object.
    return new Ajv2020({ strict: false, logger: false, ownProperties: true }).compile(schema as object);
  } catch {
    return undefined;
  }
}

test("random answers are valid by every schema that is accepted, and others are refused by path", {
  timeout: 300_000,
}, () => {
  const counts = { accepted: 0, refused: 0, ended: 0 };
  for (const { schema, name } of schemas) {
    const validate = validatorOf(schema);
    if (!validate) continue;
    try {
      for (let seed = 1; seed <= ANSWERS; seed++) {
        const { text, ended } = walk({ type: "json_schema", schema }, seed, { limit: 300 });
        if (!ended) continue;
        counts.ended++;
        expect(validate(JSON.parse(text)), `${name}: ${text}: ${JSON.stringify(validate.errors)}`).toBe(true);
      }
      counts.accepted++;
    } catch (error) {
      if (!isParameterError(error)) throw error;
      expect(error.message, name).toMatch(
        /^format\.schema: (\$\S*: expected .*, got|expected at least one text)/,
      );
      counts.refused++;
    }
  }
  console.log(
    `JSON-Schema-Test-Suite: ${counts.accepted} schemas accepted, ${counts.refused} refused by name; ${counts.ended} answers ended, all valid`,
  );
  expect(counts.accepted).toBeGreaterThan(30);
  expect(counts.ended).toBeGreaterThan(2000);
});
