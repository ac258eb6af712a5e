// sirocco serve: a model over HTTP.
import { type Command, Option } from "commander";
import { isParameterError } from "../../engine/options/parameter.ts";
import { tokens } from "../answer.ts";
import { readApiKeys } from "../api-keys.ts";
import { type Context, exitCode } from "../context.ts";
import type { Model } from "../engine.ts";
import { UsageError } from "../errors.ts";
import { formatBytes } from "../format.ts";
import { apiKey, host, origin } from "../network.ts";
import { withModel } from "../open-model.ts";
import {
  addAdapterModelOption,
  addLoadingOptions,
  addOptions,
  addOutputOptions,
  type LoadingOptions,
  parallelOption,
  ringsOption,
  SERVED_AT_ONCE,
} from "../options.ts";
import { pageFolders } from "../package.ts";
import { integer, moderation, name, nonEmpty, number, oneMore } from "../parse.ts";

interface Options extends LoadingOptions {
  readonly host: string;
  readonly port: number;
  readonly apiKey?: readonly string[];
  readonly apiKeyFile?: string;
  readonly insecure?: boolean;
  readonly cors?: readonly string[];
  readonly alias?: readonly string[];
  readonly parallel: number;
  readonly rings?: number;
  readonly queue: number;
  readonly slotDir?: string;
  readonly adapterDir?: string;
  readonly drain: number;
  readonly logPrompts?: boolean;
  readonly page: boolean;
  readonly safePrompt?: boolean;
  readonly moderate?: "reject" | "flag";
}

export function addServe(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("serve")
    .summary("serve a model over HTTP, by OpenAI's and Workers AI's API")
    .description(
      "Serves a model over HTTP: OpenAI's chat and text completions, Workers AI's call, all with streaming, and " +
        "/health, /ready and /metrics for monitoring. Logs a line a request to stdout: short on a terminal, else JSON.",
    )
    .addHelpText(
      "after",
      `
Ctrl-C (or SIGTERM, SIGHUP) lets running answers finish; a second one quits at once.
Every user of the machine can see keys on a command line: prefer --api-key-file or SIROCCO_API_KEY.

Examples:
  $ sirocco serve
  $ curl http://127.0.0.1:8000/v1/chat/completions -H "Content-Type: application/json" \\
      -d '{"messages":[{"role":"user","content":"Tell me a story."}],"max_tokens":60}'
  $ sirocco serve -m mistralai/Mistral-7B-Instruct-v0.3 -w q4 --host 0.0.0.0 --api-key-file keys.txt`,
    );
  addOptions(command, "Server", [
    new Option("--host <address>", "address to listen on; one that other machines can reach needs a key")
      .argParser(host)
      .default("127.0.0.1", "127.0.0.1"),
    new Option("--port <number>", "port to listen on; 0: a free one, which is printed")
      .argParser(integer("--port", { max: 65535, words: "from 0 to 65535" }))
      .default(8000),
    parallelOption("answers at once").default(SERVED_AT_ONCE),
    ringsOption(),
    new Option(
      "--slot-dir <folder>",
      "folder for saved conversations: kept there when the server ends, restored when it starts",
    ).argParser(nonEmpty("--slot-dir", "a folder")),
    new Option(
      "--adapter-dir <folder>",
      "folder for LoRA adapters that clients upload by Workers AI's calls; read again when the server starts",
    ).argParser(nonEmpty("--adapter-dir", "a folder")),
    new Option("--queue <count>", "answers that may wait; further requests get status 429")
      .argParser(integer("--queue", { max: 65536, words: "from 0 to 65536" }))
      .default(64),
    new Option("--alias <name>", "another name of the model in requests; repeatable").argParser(
      oneMore(name("--alias", "a name on one line, without blanks around it")),
    ),
    new Option("--no-page", "no chat page at /"),
    new Option("--drain <seconds>", "how long running answers may still take when the server ends")
      .argParser(number("--drain", { min: 0, max: 86_400, words: "from 0 to 86400" }))
      .default(30),
  ]);
  addOptions(command, "Guardrails", [
    new Option(
      "--safe-prompt",
      "put Mistral's system prompt for guarded answers in front of every conversation",
    ),
    new Option(
      "--moderate <action>",
      "let the model judge prompts and answers: reject flagged ones (holds streams), or flag them in `warnings`",
    ).argParser(moderation),
  ]);
  addOptions(command, "Access", [
    new Option("--api-key <key>", "require this key from clients; repeatable").argParser(
      oneMore(apiKey("--api-key")),
    ),
    new Option("--api-key-file <path>", "file with keys, one a line; lines with # are comments").argParser(
      nonEmpty("--api-key-file", "a file"),
    ),
    new Option(
      "--cors <origin>",
      "allow calls from pages of this origin, as in http://localhost:5173; *: of all; repeatable",
    ).argParser(oneMore(origin)),
    new Option("--insecure", "allow other machines to connect without a key"),
  ]);
  addLoadingOptions(command);
  addAdapterModelOption(
    command,
    "requests name it as their model; a scale: requests that name none use it by this factor, see POST /lora-adapters; repeatable",
  );
  addOutputOptions(command, [
    new Option(
      "--json",
      "log JSON on a terminal, too; begin with one object: url, port, model, adapters, parallel, queue",
    ),
    new Option("--log-prompts", "log prompts, too"),
  ]);
  command.action(async (options: Options) => exit(await serve(context, options)));
}

async function serve(context: Context, options: Options): Promise<number> {
  const { io, output, interrupts } = context;
  const { host, port, parallel, queue, quiet = false } = options;
  output.becomeLog();
  const keys = await readApiKeys(options, io.env);
  if (keys.length === 0 && !isLoopback(host) && !options.insecure)
    throw new UsageError(
      `--host: expected a key for an address beyond this machine, got "${host}" and none. Add --api-key-file, or --insecure`,
    );
  const { checkFolder, createService, Finetunes, isProbe, listen, restoreSessions, saveSessions, shortLine } =
    await io.server();
  const names = [nameOf(options.model), ...(options.alias ?? [])];
  const taken = options.adapterModel?.find(({ name }) => names.includes(name))?.name;
  if (taken !== undefined)
    throw new UsageError(
      `--adapter-model: expected another name than the model's, got "${taken}". Name it, as in my-adapter=SOURCE`,
    );
  // Fails now, not after a long load.
  if (options.slotDir !== undefined) await checkFolder("--slot-dir", options.slotDir);
  if (options.adapterDir !== undefined) await checkFolder("--adapter-dir", options.adapterDir);
  const run = async (model: Model): Promise<number> => {
    const note = (text: string): void => {
      if (!quiet) output.note(text);
    };
    // Before the conversations, which may be with an adapter.
    const finetunes =
      options.adapterDir === undefined
        ? undefined
        : await Finetunes.open(model, options.adapterDir, names, note);
    if (options.slotDir !== undefined) {
      const restored = await restoreSessions(model, options.slotDir, note);
      if (restored > 0) note(`${options.slotDir}: conversations restored: ${restored}`);
    }
    // Fails now if the model has no chat template.
    if (options.moderate) await model.moderate("Hello!", { signal: interrupts.signal });
    const isJson = options.json === true || !output.stdoutIsTerminal;
    const page = options.page ? pageFolders() : undefined;
    const service = createService(model, {
      name: nameOf(options.model),
      aliases: options.alias ?? [],
      cors: options.cors ?? [],
      logPrompts: options.logPrompts ?? false,
      safePrompt: options.safePrompt ?? false,
      ...(options.moderate && { moderate: options.moderate }),
      ...(page && { page }),
      ...(finetunes && { finetunes }),
      adapterScales: (options.adapterModel ?? []).map(({ name, scale = 0 }) => ({ name, scale })),
      log: (line) => {
        if (isProbe(line)) return;
        if (isJson) output.json(line);
        else output.logLine(shortLine(line));
      },
      ...(options.context === undefined ? {} : { contextLength: options.context }),
      ...{ keys, parallel, queue },
    });
    await service.defaultAdapters.check("--adapter-model").catch((error: unknown) => {
      throw isParameterError(error) ? new UsageError(error.message) : error;
    });
    const listening = await listen(service, { host, port }).catch((cause: NodeJS.ErrnoException) => {
      throw new Error(notListening(cause, host, port), { cause });
    });
    const { url, port: chosen } = listening;
    if (options.json)
      output.json({ url, port: chosen, model: service.name, adapters: model.adapters, parallel, queue });
    if (!quiet) {
      output.note(memory(model));
      output.note(`${url} serves ${service.name}: up to ${parallel} answers at once, ${queue} waiting`);
      if (page) output.note(`A page to chat with it: ${url}/`);
      if (output.stderrIsTerminal) output.note(tryIt(url, keys.length > 0));
    }
    await aborted(interrupts.signal);
    const { running, waiting } = service.admission;
    if (running + waiting > 0) note("Waiting for running answers. Ctrl-C quits at once.");
    await listening.close({ drainMs: options.drain * 1000 });
    if (options.slotDir !== undefined)
      note(`${options.slotDir}: conversations saved: ${await saveSessions(model, options.slotDir)}`);
    return exitCode.ok;
  };
  return withModel(context, options, run);
}

/** The model's name in requests: its name on the Hub, or the last part of its path. */
function nameOf(source: string | undefined): string {
  if (source === undefined) return "tiny-mistral";
  const [, name] = /^(\w[\w.-]*\/[\w.-]+)(@.+)?$/.exec(source) ?? [];
  return name ?? source.split(/[/\\]/).findLast((part) => part !== "") ?? source;
}

/** A message about why the server cannot listen. */
function notListening({ code = "", message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === "EADDRINUSE")
    return `--port: expected a free port, got ${port}, which is in use. 0 chooses a free one`;
  if (code === "EACCES") return `--port: no permission to listen on ${port}. Choose a port above 1023`;
  if (["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN", "EINVAL", "EAFNOSUPPORT"].includes(code))
    return `--host: expected an address of this machine, got "${host}" (${code})`;
  return message;
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1)$/.test(host);

/** What the model takes, and where, in a line. */
const memory = ({ plan, config, adapter }: Model): string => {
  const { weights, weightBytes, cache, cacheBytes, rings, contextLength, totalBytes } = plan;
  const length = config.W === null ? `of ${tokens(contextLength)}` : `with a window of ${tokens(config.W)}`;
  const kept = `${rings} conversation${rings === 1 ? "" : "s"} ${length}`;
  return (
    `${formatBytes(totalBytes)} on ${adapter.name}: weights ${formatBytes(weightBytes)} as ${weights}, ` +
    `cache ${formatBytes(cacheBytes)} as ${cache}, for ${kept}`
  );
};

const tryIt = (url: string, needsKey: boolean): string =>
  `Try: curl ${url}/v1/chat/completions -H "Content-Type: application/json" ` +
  `${needsKey ? '-H "Authorization: Bearer YOUR-KEY" ' : ""}` +
  `-d '{"messages":[{"role":"user","content":"Tell me a story."}],"max_tokens":60}'`;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
