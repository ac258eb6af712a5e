// sirocco chat: a conversation at a terminal, or line by line through a pipe.
import { type Command, Option } from "commander";
import { answerRecord, collectAnswer, isUnlimited, statsLine, tokens } from "../answer.ts";
import { addFormatOptions, type FormatOptions, readAnswerFormat } from "../answer-format.ts";
import { ChatCommands, complete, isCommand } from "../chat-commands.ts";
import { type Context, exitCode } from "../context.ts";
import { Conversation } from "../conversation.ts";
import type { AnswerFormat, Model, PromptProgress } from "../engine.ts";
import { errorMessage, isAbort, UsageError } from "../errors.ts";
import { History } from "../history.ts";
import { linesOf, readPipe } from "../input.ts";
import { withModel } from "../open-model.ts";
import {
  adapterOf,
  addAdapterModelOption,
  addLoadingOptions,
  addOptions,
  addOutputOptions,
  addSamplingOptions,
  type LoadingOptions,
  type SamplingOptions,
  toGenerateOptions,
  withAdapter,
} from "../options.ts";
import type { Output } from "../output.ts";
import { Settings } from "../settings.ts";
import { TerminalPrompt } from "../terminal-prompt.ts";

interface Options extends LoadingOptions, SamplingOptions, FormatOptions {
  readonly system?: string;
  readonly safePrompt?: boolean;
  readonly history: boolean;
  readonly showThinking?: boolean;
}

export function addChat(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("chat")
    .argument("[question]", "answer this and exit; text from a pipe comes before it, above an empty line")
    .summary("chat with a model, or ask it one question")
    .description(
      "A conversation in the model's chat format. At a terminal, /help lists the commands and the up arrow brings " +
        "back earlier lines. From a pipe, each line is a message, and only the answers are printed. With a question, " +
        "the command answers it and exits.",
    )
    .addHelpText(
      "after",
      `
Ctrl-C stops an answer; twice in a row it quits, with exit code 130. Ctrl-D quits.

Examples:
  $ sirocco chat --model mistralai/Mistral-7B-Instruct-v0.2 --weights q4
  $ sirocco chat "Why is the sky blue?"
  $ cat mail.txt | sirocco chat "Summarise this mail."
  $ printf 'Hello!\\nTell me more.\\n' | sirocco chat --seed 1
  $ echo "Is a whale a fish?" | sirocco chat --choice yes,no`,
    );
  addOptions(command, "Input", [
    new Option("-s, --system <text>", "system message"),
    new Option("--safe-prompt", "put Mistral's system prompt for guarded answers in front"),
    new Option("--no-history", "do not save typed lines to $XDG_STATE_HOME/sirocco/chat-history"),
  ]);
  addFormatOptions(command);
  addSamplingOptions(command, 512);
  addLoadingOptions(command);
  addAdapterModelOption(command);
  addOptions(command, "Output", [
    new Option("--show-thinking", "show on stderr what a model thinks before it answers"),
  ]);
  addOutputOptions(command, "read lines as from a pipe; print one object a line, as `generate --json` does");
  command.action(async (asked: string | undefined, options: Options) => {
    const format = await readAnswerFormat(options);
    const question = asked === undefined ? undefined : await withPipe(context, asked);
    exit(
      await withModel(context, options, (model) => new Chat(context, model, options, format).run(question)),
    );
  });
}

/** A question below the text that comes through a pipe. */
async function withPipe(context: Context, question: string): Promise<string> {
  const text = context.io.stdin.isTTY ? "" : await readPipe(context);
  if (`${text}${question}`.trim() === "") throw new UsageError("chat: expected a question, got an empty one");
  return [text, question].filter((part) => part.trim() !== "").join("\n\n");
}

class Chat {
  readonly #context: Context;
  readonly #model: Model;
  readonly #options: Options;
  readonly #format: AnswerFormat | undefined;
  readonly #conversation: Conversation;
  readonly #settings: Settings;

  constructor(context: Context, model: Model, options: Options, format: AnswerFormat | undefined) {
    this.#context = context;
    this.#model = model;
    this.#options = options;
    this.#format = format;
    this.#conversation = new Conversation(options.system, options.showThinking);
    this.#settings = new Settings(options);
  }

  /** @param question answered alone. Default: a conversation */
  async run(question?: string): Promise<number> {
    const { io, output, interrupts } = this.#context;
    const { json = false, quiet = false } = this.#options;
    const terminal = io.stdin.isTTY === true && output.stderrIsTerminal && !json;
    if (question === undefined && terminal) return this.#atTerminal();
    if (!json && !quiet) this.#introduce();
    if (question === undefined) return this.#throughPipe();
    await this.#answer(question);
    return interrupts.signal.aborted ? exitCode.interrupted : exitCode.ok;
  }

  async #throughPipe(): Promise<number> {
    const { io, interrupts } = this.#context;
    const { signal } = interrupts;
    for await (const line of linesOf(io.stdin, signal)) {
      if (line.trim() !== "") await this.#answer(line);
      if (signal.aborted) break;
    }
    return signal.aborted ? exitCode.interrupted : exitCode.ok;
  }

  async #atTerminal(): Promise<number> {
    const { io, output, interrupts } = this.#context;
    const history = this.#options.history ? new History(io.env) : undefined;
    const prompt = new TerminalPrompt({
      input: io.stdin,
      output: io.stderr,
      movesCursor: output.movesCursor,
      history: history?.load() ?? [],
      complete,
      onInterrupt: () => {
        const answering = !prompt.waiting;
        interrupts.press();
        if (interrupts.quitting) prompt.close();
        else if (!answering) output.note("\nCtrl-C again, Ctrl-D or /exit to leave.");
      },
    });
    // Ctrl-C may also arrive as a signal, not through the prompt: the terminal must still leave raw mode.
    void interrupts.quit.then(() => prompt.close());
    if (!this.#options.quiet) {
      this.#introduce();
      output.note("/help lists the commands. Ctrl-D or /exit leaves.");
    }
    const commands = new ChatCommands(this.#conversation, this.#settings, this.#about());
    try {
      for (;;) {
        const line = await readTurn(prompt, output.bold("> "), output.bold("… "));
        if (line === undefined) return interrupts.quitting ? exitCode.interrupted : exitCode.ok;
        interrupts.renew();
        if (line.trim() === "") continue;
        history?.add(line);
        if (isCommand(line)) {
          const reply = await commands.run(line);
          if (reply === "quit") return exitCode.ok;
          output.note(reply);
        } else {
          await this.#answerOrExplain(line);
        }
      }
    } finally {
      prompt.close();
    }
  }

  /** Who answers, and where. */
  #introduce(): void {
    const { model, weights, adapter, context } = this.#about();
    this.#context.output.note(`${model}, ${weights} on ${adapter}, context ${context}`);
  }

  #about() {
    const { plan, adapter, contextLength } = this.#model;
    return {
      model: `${this.#options.model ?? "the embedded tiny model"}${withAdapter(this.#options)}`,
      weights: plan.weights,
      adapter: adapter.name,
      context: isUnlimited(this.#model) ? "unlimited" : tokens(contextLength),
    };
  }

  /**
   * At a terminal an error ends the turn, not the chat. A lost device ends the chat: every turn would fail.
   */
  async #answerOrExplain(line: string): Promise<void> {
    try {
      await this.#answer(line);
    } catch (error) {
      if (error instanceof Error && error.name === "DeviceLostError") throw error;
      if (!isAbort(error)) this.#context.output.note(`sirocco: ${errorMessage(error)}`);
    }
  }

  async #answer(question: string): Promise<void> {
    const { output, interrupts } = this.#context;
    const { json = false, quiet = false } = this.#options;
    this.#conversation.ask(question);
    const seed = this.#settings.takeSeed();
    let text = "";
    const thoughts = new Thoughts(output, this.#conversation.showsThinking, json || quiet);
    try {
      const { messages } = this.#conversation;
      const options = {
        ...toGenerateOptions(this.#settings.options, seed, this.#format),
        ...adapterOf(this.#options),
        ...(this.#options.safePrompt && { safePrompt: true }),
        ...(!json && !quiet && { onProgress: (progress: PromptProgress) => thoughts.read(progress) }),
        signal: interrupts.signal,
      };
      const show = output.wrapping();
      const write = (piece: string): void => {
        thoughts.end();
        text += piece;
        if (!json) show(piece);
      };
      const answer = await collectAnswer(this.#model.chat(messages, options), write, (piece) =>
        thoughts.add(piece),
      );
      thoughts.end();
      if (json) output.json(answerRecord(answer, this.#model, this.#options, seed));
      else if (!text.endsWith("\n")) output.write("\n");
      const statistics = !json && !quiet && output.stderrIsTerminal;
      if (statistics) output.note(statsLine(answer, this.#model, this.#options, seed, true));
    } catch (error) {
      if (!json && text !== "" && !text.endsWith("\n")) output.write("\n");
      throw error;
    } finally {
      thoughts.end();
      this.#conversation.answer(text, thoughts.text);
    }
  }
}

/** Tokens of a prompt whose reading is shown. */
const LONG_PROMPT = 512;

/** What the model thinks, as it streams: shown on stderr, or a line that says so while it lasts. */
class Thoughts {
  text = "";
  readonly #output: Output;
  readonly #shown: boolean;
  readonly #silent: boolean;
  #open = false;

  /** @param silent nothing is written, unless it is shown */
  constructor(output: Output, shown: boolean, silent: boolean) {
    this.#output = output;
    this.#shown = shown;
    this.#silent = silent;
  }

  /** While a long prompt is computed, how much of it is. */
  read({ total, cached, processed }: PromptProgress): void {
    if (this.text !== "" || total - cached < LONG_PROMPT) return;
    this.#output.replaceStatus(processed < total ? `reading ${processed} of ${tokens(total)}…` : "");
  }

  add(piece: string): void {
    this.text += piece;
    if (this.#shown) this.#output.think(piece);
    else if (!this.#silent && !this.#open) this.#output.status("thinking…");
    this.#open = true;
  }

  end(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#shown) this.#output.think("\n\n");
    else if (!this.#silent) this.#output.clearStatus();
  }
}

/** Reads a line, and further ones while each ends with a backslash, or from """ to """. */
async function readTurn(prompt: TerminalPrompt, first: string, more: string): Promise<string | undefined> {
  let turn = await prompt.read(first);
  const quoted = turn?.startsWith('"""') === true;
  if (quoted) turn = turn?.slice(3);
  const goesOn = (text: string) => (quoted ? !text.trimEnd().endsWith('"""') : text.endsWith("\\"));
  while (turn !== undefined && goesOn(turn)) {
    const next = await prompt.read(more);
    if (next === undefined) return undefined;
    turn = quoted ? `${turn}\n${next}` : `${turn.slice(0, -1)}\n${next}`;
  }
  return quoted
    ? turn
        ?.trimEnd()
        .slice(0, -3)
        .replace(/^\n|\n$/g, "")
    : turn;
}
