// What a checkpoint is, as the rows of a table.
import type { ModelDescription } from "./engine.ts";
import { formatBytes, formatCount, table, wrapText } from "./format.ts";

/** Files that are listed one by one. */
const LISTED = 12;
/** Columns of the labels, with the gap after them. */
const LABELS = 15;

/** @param columns of the terminal; values that are longer take several lines */
export function modelTable(model: ModelDescription, columns: number): string {
  const width = Math.max(20, columns - LABELS);
  return table(modelRows(model).map(([label, value]) => [label.padEnd(LABELS - 2), wrapText(value, width)]));
}

function modelRows(model: ModelDescription): [label: string, value: string][] {
  const { config, tokenizer, chatTemplate, files } = model;
  const { L, H, G, d, D, F, V, W, maxPositions } = config;
  const number = (value: number) => value.toLocaleString("en-US");
  return [
    ["model", model.name],
    ["format", model.format],
    ["architecture", config.architecture],
    ["parameters", formatCount(model.parameters)],
    ["layers", `${L}, width ${number(D)}, feed-forward ${number(F)}`],
    ["heads", `${H} of queries, ${G} of keys and values, ${d} wide`],
    ["vocabulary", number(V)],
    ["window", W === null ? "none" : `${number(W)} tokens`],
    ["context", `${number(maxPositions)} tokens`],
    [
      "tokenizer",
      tokenizer
        ? `${tokenizer.kind}, ${number(tokenizer.tokens)} tokens, from ${tokenizer.file}`
        : "none: it takes token ids only",
    ],
    ["chat template", chatTemplate ? `${names(chatTemplate.names)}from ${chatTemplate.file}` : "none"],
    ["files", `${list(files)}${files.length > 1 ? `\n${formatBytes(model.fileBytes)} in all` : ""}`],
    ...(model.otherFiles.length > 0 ? [["also there", list(model.otherFiles)] as [string, string]] : []),
    ["on the GPU", sizes(model)],
    ...model.warnings.map((text): [string, string] => ["warning", text]),
  ];
}

const names = (list: readonly string[] | undefined): string => (list ? `${list.join(", ")}, ` : "");

function list(files: ModelDescription["files"]): string {
  const lines = files.slice(0, LISTED).map(({ file, bytes }) => `${file} ${formatBytes(bytes)}`);
  const left = files.length - LISTED;
  return [...lines, ...(left > 0 ? [`and ${left} more`] : [])].join("\n");
}

function sizes({ residentBytes, stored }: ModelDescription): string {
  const entries = Object.entries(residentBytes);
  const width = Math.max(...entries.map(([format]) => format.length));
  return entries
    .map(([format, bytes]) => {
      const line = `${format.padEnd(width)}  ${formatBytes(bytes)}`;
      return format === stored ? `${line}, as it is stored` : line;
    })
    .join("\n");
}
