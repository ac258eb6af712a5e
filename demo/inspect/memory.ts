// Bytes on the GPU by kind, and what keys and values would take with more or fewer key/value heads.
import type { TemplateResult } from "lit";
import type { Model } from "../../engine/index.ts";
import { bytes } from "../format.ts";
import { bars } from "./bars.ts";

export function memory({ plan }: Pick<Model, "plan">): TemplateResult {
  const rows = [
    { label: "Weights", note: plan.weights, value: plan.weightBytes },
    { label: "Cache", note: `keys and values, ${plan.cache}`, value: plan.cacheBytes },
    { label: "Scratch", note: "between kernels", value: plan.scratchBytes },
  ];
  return bars(
    `${bytes(plan.totalBytes)} on ${plan.adapter.name}`,
    ["Kind", "Bytes"],
    rows.map((row) => ({ ...row, text: bytes(row.value) })),
  );
}

/**
 * The ring of one sequence is L layers × 2 (key and value) × key/value heads × slots × d: it grows with the
 * key/value heads alone.
 */
export function headSharing({
  config,
  plan,
}: {
  readonly config: Pick<Model["config"], "L" | "H" | "G" | "d">;
  readonly plan: Pick<Model["plan"], "cacheBytes" | "cacheSlots" | "rings">;
}): TemplateResult {
  const { L, H, G, d } = config;
  const perHead = plan.cacheBytes / plan.rings / G;
  const kinds = [
    { label: "MHA", note: "a key/value head for each query head", groups: H },
    ...(G > 1 && G < H ? [{ label: "GQA", note: `${H / G} query heads share one`, groups: G }] : []),
    { label: "MQA", note: "all query heads share one", groups: 1 },
  ];
  return bars(
    `${H} query heads, ${G} key/value heads, ${L} layers, ${plan.cacheSlots} slots of ${d}`,
    ["Kind", "Cache"],
    kinds.map(({ label, note, groups }) => ({
      label: groups === G ? `${label}, this model` : label,
      note: `${groups} key/value ${groups === 1 ? "head" : "heads"}: ${note}`,
      value: perHead * groups,
      text: bytes(perHead * groups),
      marked: groups === G,
    })),
  );
}
