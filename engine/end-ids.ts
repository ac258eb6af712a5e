// Which tokens end an answer.
import type { Tokenizer } from "../tokenizer/index.ts";
import type { Checkpoint } from "../weights/index.ts";

/**
 * A fine-tune may name its end token in config.json, generation_config.json or the tokenizer's files only.
 */
export function endIdsOf(
  { config, endsGiven }: Pick<Checkpoint, "config" | "endsGiven">,
  tokenizer: Pick<Tokenizer, "eosId" | "namesEos"> | undefined,
): ReadonlySet<number> {
  const { eosId, namesEos = false } = tokenizer ?? {};
  // The default id of a config.json without one may be any token of another vocabulary.
  const eosTokenIds = endsGiven || !namesEos ? config.eosTokenIds : [];
  const own = eosId !== undefined && (namesEos || eosTokenIds.length === 0) ? [eosId] : [];
  return new Set([...eosTokenIds, ...own]);
}
