// Says that the CPU computes, and what would be faster.
import { html, nothing, type TemplateResult } from "lit";
import { isCpu } from "../computes.ts";
import { isLocal } from "../engine.ts";
import type { Page } from "../page.ts";

export function cpuView({ session: { state } }: Page): TemplateResult | typeof nothing {
  if (state.kind !== "ready" || !isLocal(state.model) || !isCpu(state.model.adapter)) return nothing;
  return html`
    <p class="note" role="note">
      <strong>${state.model.adapter.name}</strong> computes, as no GPU is found. ${faster()}
    </p>`;
}

function faster(): string {
  if (!isSecureContext) return "Over HTTPS the page could use a GPU and more threads.";
  const gpu = "A browser with WebGPU and a GPU is faster";
  if (crossOriginIsolated) return `${gpu}.`;
  return `${gpu}; so are more threads, which need a host that isolates the page (COOP and COEP).`;
}
