// sirocco serve: the model behind HTTP.
import { type Command, Option } from "commander";
import { readApiKeys } from "../api-keys.ts";
import { type Context, exitCode } from "../context.ts";
import type { Model } from "../engine.ts";
import { UsageError } from "../errors.ts";
import { apiKey, host, origin } from "../network.ts";
import { withModel } from "../open-model.ts";
import { addLoadingOptions, addOptions, addOutputOptions, type LoadingOptions } from "../options.ts";
import { integer, name, nonEmpty, number, oneMore } from "../parse.ts";

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
  readonly drain: number;
  readonly logPrompts?: boolean;
}

export function addServe(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("serve")
    .summary("answer OpenAI's and Workers AI's calls over HTTP")
    .description(
      "Serves a model over HTTP: OpenAI's chat and text completions and Workers AI's call, with streaming, and what " +
        "watches a server: /health, /ready, /metrics. One JSON line a request goes to stdout.",
    )
    .addHelpText(
      "after",
      `
Ctrl-C (or SIGTERM, SIGHUP) lets running answers finish, a second one ends at once.
Keys on a command line are seen by every user of the machine: prefer --api-key-file, or SIROCCO_API_KEY.

Examples:
  $ sirocco serve
  $ curl http://127.0.0.1:8000/v1/chat/completions -H "Content-Type: application/json" \\
      -d '{"messages":[{"role":"user","content":"Tell me a story."}],"max_tokens":60}'
  $ sirocco serve -m mistralai/Mistral-7B-Instruct-v0.3 -w q4 --host 0.0.0.0 --api-key-file keys.txt`,
    );
  addOptions(command, "Server", [
    new Option("--host <address>", "address to listen on; any but this machine's own needs a key")
      .argParser(host)
      .default("127.0.0.1"),
    new Option("--port <number>", "port to listen on; 0: any that is free, and printed")
      .argParser(integer("--port", { max: 65535, words: "from 0 to 65535" }))
      .default(8000),
    new Option("--parallel <count>", "answers at once")
      .argParser(integer("--parallel", { min: 1, max: 256, words: "from 1 to 256" }))
      .default(8),
    new Option(
      "--rings <count>",
      "conversations whose keys and values are kept, those that run among them (default: as many as run at once)",
    ).argParser(integer("--rings", { min: 1, max: 1024, words: "from 1 to 1024" })),
    new Option(
      "--slot-dir <folder>",
      "keep them there from the end of this server to the start of the next",
    ).argParser(nonEmpty("--slot-dir", "a folder")),
    new Option("--queue <count>", "answers that may wait; beyond, a request is told to come again")
      .argParser(integer("--queue", { max: 65536, words: "from 0 to 65536" }))
      .default(64),
    new Option("--alias <name>", "another name that requests may give the model; repeatable").argParser(
      oneMore(name("--alias", "a name on one line, without blanks around it")),
    ),
    new Option("--drain <seconds>", "how long running answers may take when the server ends")
      .argParser(number("--drain", { min: 0, max: 86_400, words: "from 0 to 86400" }))
      .default(30),
  ]);
  addOptions(command, "Access", [
    new Option("--api-key <key>", "let in only who sends this key; repeatable").argParser(
      oneMore(apiKey("--api-key")),
    ),
    new Option("--api-key-file <path>", "keys, one a line; # begins a comment").argParser(
      nonEmpty("--api-key-file", "a file"),
    ),
    new Option(
      "--cors <origin>",
      "let pages of this origin call, as in http://localhost:5173 (*: of all); repeatable",
    ).argParser(oneMore(origin)),
    new Option("--insecure", "listen beyond this machine without a key"),
  ]);
  addLoadingOptions(command);
  addOutputOptions(command, [
    new Option("--json", "begin the log with one object: url, port, model, parallel, queue"),
    new Option("--log-prompts", "write prompts into the log"),
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
  const { checkSlotFolder, createService, listen, restoreSlots, saveSlots } = await io.server();
  // A long load must not end at a folder that is no use.
  if (options.slotDir !== undefined) await checkSlotFolder(options.slotDir);
  const run = async (model: Model): Promise<number> => {
    const note = (text: string): void => {
      if (!quiet) output.note(text);
    };
    if (options.slotDir !== undefined) {
      const restored = await restoreSlots(model, options.slotDir, note);
      if (restored > 0) note(`${options.slotDir}: conversations found: ${restored}`);
    }
    const service = createService(model, {
      name: nameOf(options.model),
      aliases: options.alias ?? [],
      cors: options.cors ?? [],
      logPrompts: options.logPrompts ?? false,
      log: (line) => output.json(line),
      ...(options.context === undefined ? {} : { contextLength: options.context }),
      ...{ keys, parallel, queue },
    });
    const listening = await listen(service, { host, port }).catch((cause: NodeJS.ErrnoException) => {
      throw new Error(notListening(cause, host, port), { cause });
    });
    const { url, port: chosen } = listening;
    if (options.json) output.json({ url, port: chosen, model: service.name, parallel, queue });
    if (!quiet) {
      output.note(`${url} serves ${service.name}: ${parallel} answers at once, ${queue} in line`);
      if (output.stderrIsTerminal) output.note(tryIt(url, keys.length > 0));
    }
    await aborted(interrupts.signal);
    note("Finishing the answers that run. Ctrl-C ends at once.");
    await listening.close({ drainMs: options.drain * 1000 });
    if (options.slotDir !== undefined)
      note(`${options.slotDir}: conversations kept: ${await saveSlots(model, options.slotDir)}`);
    return exitCode.ok;
  };
  return withModel(context, options, run, { parallel, ...(options.rings && { rings: options.rings }) });
}

/** What requests call the model, unless by an alias: its name on the Hub, or the last part of its path. */
function nameOf(source: string | undefined): string {
  if (source === undefined) return "tiny-mistral";
  const [, name] = /^(\w[\w.-]*\/[\w.-]+)(@.+)?$/.exec(source) ?? [];
  return name ?? source.split(/[/\\]/).findLast((part) => part !== "") ?? source;
}

/** Why nobody can be listened to. */
function notListening({ code = "", message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === "EADDRINUSE")
    return `--port: expected one that is free, got ${port}, which is taken. 0 finds one`;
  if (code === "EACCES") return `--port: expected one that you may open, got ${port}. Choose one above 1023`;
  if (["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN", "EINVAL", "EAFNOSUPPORT"].includes(code))
    return `--host: expected an address of this machine, got "${host}" (${code})`;
  return message;
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1)$/.test(host);

const tryIt = (url: string, needsKey: boolean): string =>
  `Try: curl ${url}/v1/chat/completions -H "Content-Type: application/json" ` +
  `${needsKey ? '-H "Authorization: Bearer YOUR-KEY" ' : ""}` +
  `-d '{"messages":[{"role":"user","content":"Tell me a story."}],"max_tokens":60}'`;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
