// The operations of the CPU device. Nothing here imports a shader: threads load this code.
import type { CpuCall } from "../kernel.ts";
import { attention } from "./attention.ts";
import { attentionCombine } from "./attention-combine.ts";
import { attentionWeights } from "./attention-weights.ts";
import { convert } from "./convert.ts";
import { copy } from "./copy.ts";
import { copySlots } from "./copy-slots.ts";
import { doraGain } from "./dora-gain.ts";
import { embed } from "./embed.ts";
import { gateUp } from "./gate-up.ts";
import { gather } from "./gather.ts";
import { logProb } from "./log-prob.ts";
import { loraA, loraB, loraLookup } from "./lora.ts";
import { matvec } from "./matvec.ts";
import { multiplyAdd } from "./multiply-add.ts";
import type { Operation } from "./operation.ts";
import { qkNorm } from "./qk-norm.ts";
import { qkv } from "./qkv.ts";
import { quantizeInput } from "./quantize-input.ts";
import { rmsNorm } from "./rms-norm.ts";
import { ropeCache } from "./rope-cache.ts";
import { sample } from "./sample.ts";
import { swiglu } from "./swiglu.ts";

/** By `op` of a kernel's `cpu`. */
export const operations = {
  attention,
  attention_combine: attentionCombine,
  attention_weights: attentionWeights,
  convert,
  copy,
  copy_slots: copySlots,
  dora_gain: doraGain,
  embed,
  gate_up: gateUp,
  gather,
  log_prob: logProb,
  lora_a: loraA,
  lora_b: loraB,
  lora_lookup: loraLookup,
  matvec,
  multiply_add: multiplyAdd,
  qk_norm: qkNorm,
  qkv,
  quantize_input: quantizeInput,
  rms_norm: rmsNorm,
  rope_cache: ropeCache,
  sample,
  swiglu,
} as unknown as Readonly<Record<string, Operation<CpuCall, object>>>;
