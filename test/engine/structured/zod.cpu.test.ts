// Schemas of zod: random answers are what they parse.
import { expect, test } from "vitest";
import { z } from "zod";
import { plainFormat } from "../../../engine/plain-format.ts";
import { walk } from "./walk.ts";

const Category = z.object({
  name: z.string().max(3),
  get parts() {
    return z.array(Category).max(2);
  },
});

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  "an object with optional and nullable": z.object({
    id: z.number().int().positive(),
    title: z.string().min(1).max(8).optional(),
    note: z.string().max(4).nullable(),
    done: z.boolean().default(false),
  }),
  "a strict object": z.strictObject({ a: z.literal([1, "two", true]) }),
  "a loose object": z.looseObject({ a: z.null() }),
  "an enum": z.enum(["red", "grün", 'b"lue']),
  "a list with bounds": z.array(z.int().min(-5).max(5)).min(1).max(3),
  "a tuple": z.tuple([z.boolean(), z.int().nonnegative().multipleOf(5)]),
  "a record": z.record(z.string().max(4), z.boolean()),
  "a record of an enum": z.record(z.enum(["a", "b"]), z.null()),
  "a partial record": z.partialRecord(z.enum(["a", "b"]), z.null()),
  "a discriminated union": z.discriminatedUnion("type", [
    z.object({ type: z.literal("circle"), r: z.number().gt(0).lt(2) }),
    z.object({ type: z.literal("square"), side: z.number().min(0.5) }),
  ]),
  "a union": z.union([z.null(), z.boolean(), z.object({ x: z.int() })]),
  "an intersection": z.intersection(z.object({ a: z.boolean() }), z.object({ b: z.null() })),
  "texts of formats": z.object({
    email: z.email(),
    uuid: z.uuid(),
    uuid4: z.uuidv4(),
    url: z.url(),
    day: z.iso.date(),
    at: z.iso.datetime(),
    time: z.iso.time(),
    for: z.iso.duration(),
    v4: z.ipv4(),
    v6: z.ipv6(),
    host: z.hostname(),
  }),
  "texts of patterns": z.object({
    code: z.string().regex(/^[A-Z]{2}-\d{3}$/),
    begin: z.string().startsWith("a.").max(6),
    end: z.string().endsWith("z?").max(6),
    part: z.string().includes("(b)").max(9),
    nano: z.nanoid(),
  }),
  recursion: Category,
};

test.each(Object.entries(SCHEMAS))("%s", (_, schema) => {
  const format = plainFormat(schema as never);
  let ended = 0;
  for (let seed = 1; seed <= 8; seed++) {
    const answer = walk(format, seed, { limit: 2000, leaning: 0.5 });
    if (!answer.ended) continue;
    ended++;
    const parsed = schema.safeParse(JSON.parse(answer.text));
    expect(parsed.success, `${answer.text}: ${parsed.error?.message}`).toBe(true);
  }
  expect(ended).toBeGreaterThan(4);
});
