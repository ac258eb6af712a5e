// Which matrices of a model are finer than the format that was asked for.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { formatsOf, parseConfig, requiredTensors } from "../../weights/index.ts";

const text = readFileSync(new URL("../../weights/tiny-mistral/config.json", import.meta.url), "utf8");
const config = await parseConfig(text);

test.each([
  ["f16", []],
  ["q4", ["lm_head"]],
  ["q4a", ["lm_head"]],
  ["q4k", ["lm_head", "v_proj"]],
] as const)("%s: %j are q8", (weights, finer) => {
  const formatOf = formatsOf(weights, config);
  const roles = requiredTensors(config)
    .filter(({ kind, name }) => kind === "matrix" && formatOf(name) === "q8")
    .map(({ name }) => name.split(".").at(-2));
  expect([...new Set(roles)].sort()).toEqual(finer);
});
