// The measurements as a table and as JSON.

/** @typedef {import("./child.mjs").Reading} Reading */
/** @typedef {{ name: string, readings: Reading[], problems: string[] }} Engine */
/** @typedef {{ median: number, min: number, max: number }} Spread */

/** @param {number[]} values @returns {Spread} */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = 0, high = 0] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return { median: (low + high) / 2, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

/** Number of ids with which both answers begin. */
const alike = (/** @type {number[]} */ a, /** @type {number[]} */ b) => {
  const differs = a.findIndex((id, i) => id !== b[i]);
  return differs < 0 ? a.length : differs;
};

/**
 * Wrong answers, one line each: the speed of an engine counts only if it computes the same.
 * @param {Engine} ours @param {Engine} other @param {number} [needed] ids equal to ours, in every round
 */
export const wrongAnswers = (ours, other, needed = ours.readings[0]?.ids.length ?? 0) =>
  other.readings.flatMap(({ ids }) => {
    const expected = ours.readings[0]?.ids ?? [];
    if (alike(expected, ids) >= Math.min(needed, expected.length)) return [];
    return [`${other.name}: expected the ids ${expected.slice(0, needed).join(" ")}, got ${ids.join(" ")}.`];
  });

/** Tokens/s. @param {Engine | undefined} engine @param {"prefill" | "decode"} phase */
export const rates = (engine, phase) => spread(engine?.readings.map((reading) => reading[phase]) ?? []);

/** @param {Engine[]} engines ours first */
export function table(engines) {
  const [ours] = engines;
  const cell = (/** @type {Spread} */ { median, min, max }) => {
    const digits = median < 10 ? 2 : median < 100 ? 1 : 0;
    return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
  };
  const rows = engines.map((engine) => {
    if (engine.readings.length === 0) return [engine.name, "-", "-", "-", "-", "-"];
    const [prefill, decode] = [rates(engine, "prefill"), rates(engine, "decode")];
    return [
      engine.name,
      cell(prefill),
      cell(decode),
      `${(rates(ours, "prefill").median / prefill.median).toFixed(2)}`,
      `${(rates(ours, "decode").median / decode.median).toFixed(2)}`,
      engine.readings[0]?.ids.slice(0, 4).join(" ") ?? "",
    ];
  });
  const head = [
    "engine",
    "prefill, tokens/s",
    "decode, tokens/s",
    "ours: prefill x",
    "ours: decode x",
    "first ids",
  ];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (/** @type {string[]} */ cells) =>
    `| ${cells.map((text, i) => text.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** @param {{ threads?: number | undefined, engines: Engine[] }} comparison @param {object} params */
export const results = ({ threads, engines }, params) =>
  engines
    .filter(({ readings }) => readings.length > 0)
    .flatMap((engine) =>
      /** @type {const} */ (["prefill", "decode"]).map((phase) => ({
        suite: "peers",
        name: "tokensPerSecond",
        unit: "tokens/s",
        ...rates(engine, phase),
        runs: engine.readings.length,
        params: { ...params, engine: engine.name, phase, ...(threads && { threads }) },
      })),
    );
