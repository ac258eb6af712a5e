// Metrics for Prometheus, in a registry of their own.
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Model, Moderation } from "../engine/node.ts";
import type { Admission } from "./admission.ts";

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const RATES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = this.#counter("requests", "Requests by route and status", ["route", "status"]);
  readonly #tokens = this.#counter("tokens", "Tokens by kind: prompt, cached (of the prompt), completion", [
    "kind",
  ]);
  readonly #moderations = this.#counter(
    "moderations",
    "Judged texts by kind, and whether they were flagged",
    ["kind", "flagged"],
  );
  readonly #queueSeconds = this.#histogram("queue_seconds", "Time in the queue", SECONDS);
  readonly #firstToken = this.#histogram(
    "time_to_first_token_seconds",
    "From the request to the first token, the queue included",
    SECONDS,
  );
  readonly #rate = this.#histogram(
    "tokens_per_second",
    "Tokens per second of an answer, after its first token",
    RATES,
  );

  constructor(model: Model, admission: Admission) {
    this.#gauge("queue_length", "Requests in the queue", () => admission.waiting);
    this.#gauge("queue_capacity", "Size of the queue", () => admission.capacity);
    this.#gauge("running", "Running answers", () => admission.running);
    this.#gauge("parallel", "Answers that run at once at most", () => admission.parallel);
    this.#adapter(model);
    this.#gauge("gpu_memory_bytes", "Weights, cache and scratch on the GPU", () => model.plan.totalBytes);
    this.#gauge("cache_tokens", "Tokens whose keys and values are in the cache", async () => {
      return (await model.activity()).cachedTokens;
    });
    this.#gauge("cache_use_ratio", "Share of the cache that is filled", async () => {
      const { cachedTokens, rings, cacheSlots } = await model.activity();
      return cachedTokens / (rings * cacheSlots);
    });
    this.#gauge("batch_size", "Mean rows per decode step", async () => {
      const { steps, stepRows } = await model.activity();
      return steps > 0 ? stepRows / steps : 0;
    });
    this.#gauge("steps", "Decode steps so far", async () => (await model.activity()).steps);
    this.#gauge(
      "step_rows",
      "Rows of all decode steps so far",
      async () => (await model.activity()).stepRows,
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  request(route: string, status: number): void {
    this.#requests.inc({ route, status: String(status) });
  }

  queued(milliseconds: number): void {
    this.#queueSeconds.observe(milliseconds / 1000);
  }

  firstToken(milliseconds: number): void {
    this.#firstToken.observe(milliseconds / 1000);
  }

  answered(prompt: number, cached: number, completion: number, decodeMs: number): void {
    this.#tokens.inc({ kind: "prompt" }, prompt);
    this.#tokens.inc({ kind: "cached" }, cached);
    this.#tokens.inc({ kind: "completion" }, completion);
    if (completion > 1 && decodeMs > 0) this.#rate.observe(((completion - 1) / decodeMs) * 1000);
  }

  moderated(kind: "prompt" | "answer", { flagged, promptTokens, cachedTokens }: Moderation): void {
    this.#moderations.inc({ kind, flagged: String(flagged) });
    this.#tokens.inc({ kind: "prompt" }, promptTokens);
    this.#tokens.inc({ kind: "cached" }, cachedTokens);
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `sirocco_${name}_total`, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name: `sirocco_${name}`, help, buckets, registers: [this.#registry] });
  }

  /** 1, with what computes as labels. */
  #adapter({ adapter: { name, software } }: Model): void {
    const help = "What computes: its name, and whether it is the CPU";
    const labelNames = ["name", "software"];
    new Gauge({ name: "sirocco_adapter_info", help, labelNames, registers: [this.#registry] }).set(
      { name, software: String(software) },
      1,
    );
  }

  #gauge(name: string, help: string, value: () => number | Promise<number>): void {
    new Gauge({
      name: `sirocco_${name}`,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await value());
      },
    });
  }
}
