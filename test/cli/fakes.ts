// A terminal, and an engine whose models are fake, to drive the command in this process.
import { PassThrough, Writable } from "node:stream";
import type { ModelReport } from "../../bench/result.ts";
import type { RunOptions } from "../../bench/run.ts";
import type {
  AdapterDescription,
  ClassifyOptions,
  Engine,
  GenerateOptions,
  LoadOptions,
  MergeOptions,
  Message,
  Model,
  ModelConfig,
  ModelDescription,
  Plan,
  PromptProgress,
  QuantizeOptions,
  Tuning,
} from "../../cli/engine.ts";
import type { Io } from "../../cli/io.ts";
import { run } from "../../cli/run.ts";
import { report } from "../bench/report.ts";
import { aborted, adapter, fakeModel, plan } from "../fake-model.ts";

type Call =
  | { readonly name: "loadModel"; readonly source: string | undefined; readonly options: LoadOptions }
  | { readonly name: "tuneModel"; readonly source: string | undefined; readonly options: LoadOptions }
  | { readonly name: "planModel"; readonly source: string | undefined; readonly options: LoadOptions }
  | { readonly name: "describeModel"; readonly source: string | undefined }
  | { readonly name: "quantizeModel"; readonly source: string | undefined; readonly options: QuantizeOptions }
  | { readonly name: "mergeModel"; readonly source: string | undefined; readonly options: MergeOptions }
  | { readonly name: "generate"; readonly prompt: string; readonly options: GenerateOptions }
  | { readonly name: "chat"; readonly messages: readonly Message[]; readonly options: GenerateOptions }
  | {
      readonly name: "classify";
      readonly text: string;
      readonly labels: readonly string[];
      readonly options: ClassifyOptions;
    }
  | { readonly name: "moderate"; readonly text: string }
  | { readonly name: "score"; readonly text: string; readonly adapter?: unknown }
  | { readonly name: "bench"; readonly options: RunOptions }
  | { readonly name: "dispose" };

export interface FakeOptions {
  /** The pieces of each answer. */
  readonly pieces?: readonly string[];
  /** What each answer thinks before. */
  readonly thoughts?: readonly string[];
  /** What `chat` tells of the reading of each prompt. */
  readonly progress?: readonly PromptProgress[];
  /** Stops after this many pieces until the signal aborts. */
  readonly holdAfter?: number;
  /** Ignores the signal: an engine that hangs. */
  readonly deaf?: boolean;
  /** Thrown by the function of this name. */
  readonly errors?: Partial<
    Record<
      | "loadModel"
      | "planModel"
      | "describeModel"
      | "tuneModel"
      | "quantizeModel"
      | "listAdapters"
      | "chat"
      | "generate",
      Error
    >
  >;
  readonly description?: ModelDescription;
  readonly adapters?: readonly AdapterDescription[];
  /** Loading waits for the signal. */
  readonly slowLoad?: boolean;
  /** Fields of the bench's report. */
  readonly report?: Partial<ModelReport>;
  /** The bench waits for the signal after its first figure. */
  readonly slowBench?: boolean;
}

const roles = ["qkv", "oProj", "gateUp", "downProj", "lmHead"] as const;
const everyRole = <T>(variant: T) =>
  Object.fromEntries(roles.map((role) => [role, variant])) as Record<(typeof roles)[number], T>;

export const tuning: Tuning = {
  adapter,
  weights: "q4",
  choice: {
    matvec: everyRole("subgroup"),
    matmul: everyRole("tile"),
    attention: { decode: "workgroup", prefill: "lane" },
  },
  measurements: [
    { pass: "decode", role: "qkv", variant: "workgroup", rows: 1, microseconds: 52.25 },
    { pass: "decode", role: "qkv", variant: "subgroup", rows: 1, microseconds: 41.5 },
    {
      ...{ pass: "decode", role: "qkv", variant: "lane", rows: 1 },
      ...{ microseconds: Infinity, rejected: "gives 1 where 2" },
    },
    { pass: "decode", role: "qkv", variant: "workgroup", rows: 2, microseconds: 60 },
    { pass: "decode", role: "qkv", variant: "subgroup", rows: 2, microseconds: 83 },
    { pass: "prefill", role: "qkv", variant: "tile", rows: 256, microseconds: 912 },
  ],
};

const shape = { V: 32_000, D: 4096, F: 14_336, L: 32, H: 32, G: 8, d: 128, W: null, maxPositions: 32_768 };
const config = { ...shape, architecture: "MistralForCausalLM" } as ModelConfig;

export const description: ModelDescription = {
  ...{ name: "owner/name@main", format: "GGUF v3, Q4_K_M", config, parameters: 7_241_732_096 },
  tokenizer: { kind: "BPE with byte fallback", tokens: 32_000, file: "model.Q4_K_M.gguf" },
  chatTemplate: { file: "model.Q4_K_M.gguf" },
  files: [{ file: "model.Q4_K_M.gguf", bytes: 4_368_439_584 }],
  fileBytes: 4_368_439_584,
  otherFiles: [{ file: "model.Q8_0.gguf", bytes: 7_695_857_952 }],
  stored: "q4a",
  residentBytes: { q8: 7_694_811_136, q4: 4_205_000_000, q4a: 4_932_000_000 },
  warnings: ["owner/name@main: GGUF does not keep the attention window of 4096 tokens that this model had."],
};

export class FakeEngine implements Engine {
  readonly calls: Call[] = [];
  readonly #fake: FakeOptions;

  constructor(fake: FakeOptions = {}) {
    this.#fake = fake;
  }

  /** The calls of one function. */
  called<Name extends Call["name"]>(name: Name): Extract<Call, { name: Name }>[] {
    return this.calls.filter((call): call is Extract<Call, { name: Name }> => call.name === name);
  }

  // Arrow functions: the command calls them without the engine as `this`.
  readonly loadModel = async (source?: string, options: LoadOptions = {}): Promise<Model> => {
    this.calls.push({ name: "loadModel", source, options });
    this.#throw("loadModel");
    // The embedded model and folders are not downloaded.
    if (source?.includes("/") && !source.startsWith("."))
      options.onProgress?.({ stage: "download", name: "model.safetensors", loaded: 2 ** 20, total: 2 ** 21 });
    options.onProgress?.({ stage: "load", name: "lm_head.weight", loaded: 2 ** 20, total: 2 ** 21 });
    if (this.#fake.slowLoad) await aborted(options.signal);
    options.signal?.throwIfAborted();
    return { ...this.#model(), adapters: Object.keys(options.adapters ?? {}) };
  };

  readonly planModel = async (source?: string, options: LoadOptions = {}): Promise<Plan> => {
    this.calls.push({ name: "planModel", source, options });
    this.#throw("planModel");
    return plan;
  };

  readonly describeModel = async (source?: string): Promise<ModelDescription> => {
    this.calls.push({ name: "describeModel", source });
    this.#throw("describeModel");
    return this.#fake.description ?? description;
  };

  readonly tuneModel = async (source?: string, options: LoadOptions = {}): Promise<Tuning> => {
    this.calls.push({ name: "tuneModel", source, options });
    this.#throw("tuneModel");
    options.onProgress?.({ stage: "tune", name: "decode qkv workgroup", loaded: 3, total: 12 });
    return tuning;
  };

  readonly quantizeModel = async (source: string | undefined, options: QuantizeOptions) => {
    this.calls.push({ name: "quantizeModel", source, options });
    this.#throw("quantizeModel");
    options.onProgress?.({ stage: "load", name: "lm_head.weight", loaded: 2 ** 21, total: 2 ** 21 });
    const formats = [options.weights ?? "q4a"];
    return { before: 2 ** 21, bytes: 2 ** 19, formats, files: ["model.safetensors", "config.json"] };
  };

  readonly mergeModel = async (source: string | undefined, options: MergeOptions) => {
    this.calls.push({ name: "mergeModel", source, options });
    options.onProgress?.({ stage: "load", name: "lm_head.weight", loaded: 2 ** 21, total: 2 ** 21 });
    const quantised = source?.includes("gguf") ? "Q4_K_M" : null;
    return { bytes: 2 ** 21, changed: 14, quantised, files: ["config.json", "model.safetensors"] };
  };

  readonly listAdapters = async (): Promise<readonly AdapterDescription[]> => {
    this.#throw("listAdapters");
    return this.#fake.adapters ?? [adapter];
  };

  async bench(options: RunOptions): Promise<ModelReport> {
    this.calls.push({ name: "bench", options });
    options.onProgress("decode: context 0");
    if (this.#fake.slowBench) await aborted(options.signal);
    return { ...report, interrupted: options.signal.aborted, ...this.#fake.report };
  }

  #throw(name: keyof NonNullable<FakeOptions["errors"]>): void {
    const error = this.#fake.errors?.[name];
    if (error) throw error;
  }

  #model(): Model {
    const { pieces = ["there ", "was ", "a cat."], thoughts = [], holdAfter, deaf } = this.#fake;
    const { model } = fakeModel({
      ...{ pieces, thoughts },
      before: (piece) => piece === holdAfter && new Promise(() => {}),
      finish: (count) => ({
        ...{ promptTokens: 4, cachedTokens: 0, completionTokens: count },
        ...{ prefillMs: 120, decodeMs: 50 * (count - 1) },
      }),
    });
    const heard = ({ signal, ...options }: GenerateOptions): GenerateOptions =>
      deaf || !signal ? options : { ...options, signal };
    return {
      ...model,
      generate: (prompt, options = {}) => {
        this.calls.push({ name: "generate", prompt: prompt as string, options });
        this.#throw("generate");
        return model.generate(prompt, heard(options));
      },
      chat: (messages, options = {}) => {
        this.calls.push({ name: "chat", messages: [...messages], options });
        this.#throw("chat");
        for (const progress of this.#fake.progress ?? []) options.onProgress?.(progress);
        return model.chat(messages, heard(options));
      },
      classify: (text, labels, options = {}) => {
        this.calls.push({ name: "classify", text: text as string, labels, options });
        return model.classify(text, labels, options);
      },
      moderate: (text, options = {}) => {
        this.calls.push({ name: "moderate", text });
        return model.moderate(text, options);
      },
      score: async (text, { topLogProbs, adapter } = {}) => {
        this.calls.push({ name: "score", text: text as string, ...(adapter && { adapter }) });
        const [logProbs, ranks] = [Float32Array.of(-1, -2, -3), Uint32Array.of(1, 2, 5)];
        const likely = { id: 300, text: " the", bytes: [32, 116, 104, 101], logProb: -1 };
        const top = topLogProbs === undefined ? undefined : [[likely], [likely], [likely]];
        return { logProbs, ranks, perplexity: Math.exp(2), ...(top && { top }) };
      },
      dispose: () => {
        this.calls.push({ name: "dispose" });
      },
    };
  }
}

export interface Setting extends FakeOptions {
  readonly engine?: FakeEngine;
  /** Text on stdin; null: a pipe that stays open. Default: stdin is a terminal. */
  readonly stdin?: string | Uint8Array | null;
  readonly stdoutTerminal?: boolean;
  /** Of the terminal. Default 120. */
  readonly columns?: number;
  readonly stderrTerminal?: boolean;
  readonly env?: Record<string, string>;
  /** Characters after which the reader of stdout leaves. */
  readonly breakAfter?: number;
  /** Error of every write to stdout. */
  readonly stdoutError?: NodeJS.ErrnoException;
}

/** A stream that keeps all text. */
class Screen extends Writable {
  text = "";
  readonly columns: number;
  readonly isTTY: boolean;
  readonly #fail: (text: string) => Error | undefined;

  constructor(isTTY: boolean, fail: (text: string) => Error | undefined = () => undefined, columns = 120) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.isTTY = isTTY;
    this.#fail = fail;
  }

  override _write(text: string, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const error = this.#fail(this.text + text);
    if (!error) this.text += text;
    done(error);
    this.emit("written");
  }
}

/** A running command: takes keys and signals, shows its output. */
export class Session {
  readonly engine: FakeEngine;
  readonly exit: Promise<number>;
  readonly #stdin = new PassThrough();
  readonly #stdout: Screen;
  readonly #stderr: Screen;
  readonly #listeners = new Set<() => void>();

  constructor(argv: readonly string[], setting: Setting = {}) {
    this.engine = setting.engine ?? new FakeEngine(setting);
    const { breakAfter, stdoutError } = setting;
    const fail = (text: string) =>
      breakAfter !== undefined && text.length > breakAfter
        ? Object.assign(new Error("write EPIPE"), { code: "EPIPE" })
        : stdoutError;
    this.#stdout = new Screen(setting.stdoutTerminal ?? false, fail, setting.columns);
    this.#stderr = new Screen(setting.stderrTerminal ?? false, undefined, setting.columns);
    if (setting.stdin === undefined) Object.assign(this.#stdin, { isTTY: true });
    else if (setting.stdin !== null) this.#stdin.end(setting.stdin);
    const io: Io = {
      engine: async () => this.engine,
      bench: async () => (options) => this.engine.bench(options),
      server: () => import("../../server/index.ts"),
      stdin: this.#stdin,
      stdout: this.#stdout,
      stderr: this.#stderr,
      env: { HOME: "/nowhere", XDG_STATE_HOME: "/nowhere", ...setting.env },
      onInterrupt: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
    this.exit = run(argv, io);
  }

  get stdout(): string {
    return this.#stdout.text;
  }

  get stderr(): string {
    return this.#stderr.text;
  }

  /** Number of listeners for Ctrl-C. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Ctrl-C as the signal of a process. */
  interrupt(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Keys, as a terminal sends them. */
  type(keys: string): void {
    this.#stdin.write(keys);
  }

  /** Waits until a stream shows the text. */
  async see(text: string, stream: "stdout" | "stderr" = "stdout"): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!this[stream].includes(text)) {
      if (Date.now() > deadline)
        throw new Error(`waited for "${text}" on ${stream}, which shows "${this[stream]}"`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

/** Runs the command to its end. */
export async function sirocco(argv: readonly string[], setting: Setting = {}) {
  const session = new Session(argv, setting);
  const code = await session.exit;
  const { stdout, stderr, engine, listeners } = session;
  return { code, stdout, stderr, engine, listeners };
}
