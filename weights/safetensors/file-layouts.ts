// Checkpoints that store the tensors of the table under other names, or several in one.
import type { ModelConfig } from "../config.ts";
import { label, mismatch } from "../errors.ts";
import type { HeaderTensor } from "./header.ts";
import type { Shards } from "./shards.ts";

/** The language model inside a multimodal one: `language_model.model.…`, or `model.language_model.…`. */
const INSIDE = /^(?:language_model\.(?=model\.|lm_head\.)|(model\.)language_model\.)/;
/** What a multimodal model has beside it: it sees images only. */
const BESIDE = /^(model\.)?(vision_tower|multi_modal_projector)\./;

const FUSED = /^(.*\.)(qkv_proj|gate_up_proj)(\.weight)$/;

/** Where the tensors of the table are in those of the files. */
export interface FileLayout {
  /** The names, in the table, of what a tensor of a file holds. */
  namesIn(stored: string): string[];
  /** The same files with the table's tensors. @throws CheckpointError if a fused tensor has other rows */
  unfold(shards: Shards): Shards;
}

/** @param wrapped whether the language model is a part of the checkpoint */
export function fileLayout({ H, G, d, F }: ModelConfig, wrapped: boolean): FileLayout {
  const fused: Readonly<Record<string, readonly (readonly [name: string, rows: number])[]>> = {
    qkv_proj: [
      ["q_proj", H * d],
      ["k_proj", G * d],
      ["v_proj", G * d],
    ],
    gate_up_proj: [
      ["gate_proj", F],
      ["up_proj", F],
    ],
  };
  const nameIn = (stored: string): string | undefined =>
    !wrapped ? stored : BESIDE.test(stored) ? undefined : stored.replace(INSIDE, "$1");
  const partsOf = (name: string) => {
    const [, before, which = "", after] = FUSED.exec(name) ?? [];
    return fused[which]?.map(([part, rows]) => ({ name: `${before}${part}${after}`, rows }));
  };
  const tensorsIn = (stored: HeaderTensor): HeaderTensor[] => {
    const name = nameIn(stored.name);
    if (name === undefined) return [];
    const parts = partsOf(name);
    if (!parts) return [{ ...stored, name }];
    const { file, shape, start, end } = stored;
    const [total, ...others] = shape;
    const expected = parts.reduce((sum, { rows }) => sum + rows, 0);
    if (total !== expected) {
      const advice = "This is not the checkpoint that config.json describes: fetch both again.";
      throw mismatch(`${file}: ${label(stored.name)}`, `${expected} rows`, `${total ?? "none"}`, advice);
    }
    const rowBytes = (end - start) / total;
    let at = start;
    return parts.map(({ name, rows }) => {
      const from = at;
      at += rows * rowBytes;
      return { ...stored, name, shape: [rows, ...others], start: from, end: at };
    });
  };
  const namesIn = (stored: string): string[] => {
    const name = nameIn(stored);
    return name === undefined ? [] : (partsOf(name)?.map((part) => part.name) ?? [name]);
  };
  return {
    namesIn,
    unfold(shards) {
      const tensors = new Map<string, HeaderTensor>();
      const twice = new Map(
        [...shards.twice].flatMap(([name, file]) => namesIn(name).map((each) => [each, file])),
      );
      for (const tensor of [...shards.tensors.values()].flatMap(tensorsIn)) {
        if (tensors.has(tensor.name)) twice.set(tensor.name, tensor.file);
        tensors.set(tensor.name, tensor);
      }
      return { ...shards, tensors, twice };
    },
  };
}
