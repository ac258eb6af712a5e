// `sirocco chat`: turns through a pipe, and a terminal with keys, commands and Ctrl-C.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { complete } from "../../cli/chat-commands.ts";
import { ContextLengthError, DeviceLostError } from "../../engine/errors.ts";
import { Session, type Setting, sirocco } from "./fakes.ts";

/** Who answers, and where: the first line on stderr. */
const WHO = "the embedded tiny model, q4 on Paper GPU, context 4,096 tokens\n";

const folder = () => mkdtempSync(join(tmpdir(), "sirocco-"));

describe("through a pipe", () => {
  test("each line is a turn, and only answers are printed on stdout", async () => {
    const { code, stdout, stderr, engine } = await sirocco(["chat"], {
      stdin: "Hello!\n\nMore?\n",
      pieces: ["Hi", "."],
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "Hi.\nHi.\n", stderr: WHO });
    expect((await sirocco(["chat", "--quiet"], { stdin: "Hello!\n" })).stderr).toBe("");
    const [first, second] = engine.called("chat");
    expect(first?.messages).toEqual([{ role: "user", content: "Hello!" }]);
    expect(second?.messages).toEqual([
      { role: "user", content: "Hello!" },
      { role: "assistant", content: "Hi." },
      { role: "user", content: "More?" },
    ]);
    expect(engine.called("loadModel")).toHaveLength(1);
    expect(engine.called("dispose")).toHaveLength(1);
  });

  test("options reach the engine; each answer has its own seed", async () => {
    const argv = "chat --system Short. --safe-prompt --seed 4294967295 -t 0 --stop x".split(" ");
    const { engine } = await sirocco(argv, { stdin: "a\nb\n" });
    const [first, second] = engine.called("chat");
    expect(first?.messages[0]).toEqual({ role: "system", content: "Short." });
    expect(first?.options).toMatchObject({ maxTokens: 512, temperature: 0, stop: ["x"], seed: 4294967295 });
    expect(first?.options).toMatchObject({ safePrompt: true });
    expect(second?.options.seed).toBe(0);
  });

  test("a question is answered alone, below the text of a pipe", async () => {
    const asked = ["chat", "Summarise.", "--system", "S", "--seed", "1"];
    const piped = await sirocco(asked, { stdin: "Text,\nmore.\n", pieces: ["Hi."] });
    expect([piped.code, piped.stdout, piped.stderr]).toEqual([0, "Hi.\n", WHO]);
    expect(piped.engine.called("chat").map(({ messages }) => messages)).toEqual([
      [
        { role: "system", content: "S" },
        { role: "user", content: "Text,\nmore.\n\nSummarise." },
      ],
    ]);
    const alone = await sirocco([...asked, "--json"], {
      stdoutTerminal: true,
      stderrTerminal: true,
      pieces: ["Hi."],
    });
    expect(JSON.parse(alone.stdout)).toMatchObject({ text: "Hi.", seed: 1 });
    expect(alone.stderr).not.toContain(WHO);
    const shown = await sirocco(asked, { stdoutTerminal: true, stderrTerminal: true, pieces: ["Hi."] });
    expect(shown.stderr).toContain(WHO.trim());
    expect(alone.engine.called("chat")[0]?.messages[1]?.content).toBe("Summarise.");
    expect((await sirocco(["chat", " "], { stdin: "" })).code).toBe(2);
  });

  test("--json prints one object a line", async () => {
    const { stdout } = await sirocco(["chat", "--json", "--seed", "3"], { stdin: "a\nb\n", pieces: ["Hi"] });
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({ text: "Hi", ids: [0], finish: { reason: "stop" }, seed: 4 });
  });

  test("thoughts are printed on stderr with --show-thinking, and in the JSON", async () => {
    const setting = { stdin: "a\n", pieces: ["Hi", "."], thoughts: ["Hm, ", "well."] };
    const { stdout, stderr } = await sirocco(["chat"], setting);
    expect([stdout, stderr]).toEqual(["Hi.\n", WHO]);
    const shown = await sirocco(["chat", "--show-thinking"], setting);
    expect([shown.stdout, shown.stderr]).toEqual(["Hi.\n", `${WHO}Hm, well.\n\n`]);
    const json = await sirocco(["chat", "--json"], setting);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ...{ text: "Hi.", reasoning: "Hm, well.", ids: [0, 1, 2, 3], finish: { reasoningTokens: 2 } },
    });
  });

  test("a line that starts with a slash is also a turn", async () => {
    const { engine } = await sirocco(["chat"], { stdin: "/quit\n" });
    expect(engine.called("chat")[0]?.messages).toEqual([{ role: "user", content: "/quit" }]);
  });

  test("Ctrl-C ends the chat with 130", async () => {
    const session = new Session(["chat"], { stdin: "a\nb\n", holdAfter: 1 });
    await session.see("there ");
    session.interrupt();
    expect(await session.exit).toBe(130);
    expect(session.engine.called("chat")).toHaveLength(1);
  });

  test("Ctrl-C while it waits for a line ends it too", async () => {
    const session = new Session(["chat"], { stdin: null });
    while (session.engine.called("loadModel").length === 0)
      await new Promise((resolve) => setTimeout(resolve, 2));
    session.interrupt();
    expect(await session.exit).toBe(130);
  });

  test("an error ends the chat", async () => {
    const errors = { chat: new ContextLengthError("too long") };
    const { code, stderr } = await sirocco(["chat"], { stdin: "a\nb\n", errors });
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${WHO}sirocco: too long\n` });
  });
});

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const UP = "\u001b[A";

/** A chat at a terminal, at its first prompt. */
async function chat(setting: Setting = {}, argv: readonly string[] = []): Promise<Session> {
  const terminal = { stdoutTerminal: true, stderrTerminal: true };
  const env = { NO_COLOR: "1", XDG_STATE_HOME: folder(), ...setting.env };
  const session = new Session(["chat", "--seed", "1", ...argv], { ...terminal, ...setting, env });
  await session.see("> ", "stderr");
  return session;
}

const prompts = ({ stderr }: Session) => stderr.split("> ").length - 1;

/** Types a line and waits for the answer or the command's reply. */
async function say(session: Session, line: string, reply: string): Promise<void> {
  const before = session.stderr.length;
  session.type(`${line}\r`);
  const deadline = Date.now() + 5000;
  while (!session.stderr.slice(before).includes(reply)) {
    if (Date.now() > deadline)
      throw new Error(`waited for "${reply}", saw "${session.stderr.slice(before)}"`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const messagesOf = (session: Session, turn: number) => session.engine.called("chat")[turn]?.messages;

describe("at a terminal", () => {
  test("turns, statistics, and /quit", async () => {
    const session = await chat({ pieces: ["Hi."] });
    await say(session, "Hello", "seed 1\n");
    await say(session, "Again", "seed 2\n");
    expect(session.stdout).toBe("Hi.\nHi.\n");
    expect(messagesOf(session, 1)?.map(({ content }) => content)).toEqual(["Hello", "Hi.", "Again"]);
    session.type("/quit\r");
    expect(await session.exit).toBe(0);
    expect(session.engine.called("dispose")).toHaveLength(1);
  });

  test("Ctrl-D leaves", async () => {
    const session = await chat();
    session.type(CTRL_D);
    expect(await session.exit).toBe(0);
    expect(session.stderr.endsWith("\n")).toBe(true);
  });

  test("/help names every command", async () => {
    const session = await chat();
    await say(session, "/help", "or stops an answer.");
    for (const name of ["/clear", "/system", "/set", "/show", "/think", "/save", "/load", "/exit"])
      expect(session.stderr).toContain(`\n${name} `.trimEnd());
    await say(session, "/nonsense", "/nonsense: no such command. /help lists them.");
    await say(session, "/clera", "Did you mean /clear?");
    expect(session.engine.called("chat")).toHaveLength(0);
  });

  test("while the model thinks a dim line says so; /think shows what, and hides it again", async () => {
    const env = { NO_COLOR: "", TERM: "xterm" };
    const session = await chat({ pieces: ["Hi."], thoughts: ["Hm, ", "well."], env });
    await say(session, "One", "seed 1");
    expect(session.stderr).toContain("\u001b[2mthinking…\u001b[22m\r\u001b[2K");
    expect(session.stderr).not.toContain("Hm");
    await say(session, "/think", "shown");
    await say(session, "Two", "seed 2");
    expect(session.stderr).toContain("\u001b[2mHm, \u001b[22m\u001b[2mwell.\u001b[22m");
    await say(session, "/think", "hidden");
    const before = session.stderr.length;
    await say(session, "Three", "seed 3");
    expect(session.stderr.slice(before)).not.toContain("Hm");
    expect(session.stdout).toBe("Hi.\nHi.\nHi.\n");
    const answer = { role: "assistant", content: "Hi.", reasoning: "Hm, well." };
    expect(messagesOf(session, 1)?.[1]).toEqual(answer);
    const plain = await chat({ pieces: ["Hi."], thoughts: ["Hm"] });
    await say(plain, "One", "seed 1");
    expect(plain.stderr).toContain("\nthinking…\n");
  });

  test("an answer that is stopped while it thinks leaves no turn", async () => {
    const session = await chat({ thoughts: ["Hm, ", "well."], holdAfter: 1 });
    await say(session, "One", "thinking…");
    session.type(CTRL_C);
    await say(session, "/system x", "set");
    await say(session, "Two", "thinking…");
    expect(messagesOf(session, 1)?.map(({ role }) => role)).toEqual(["system", "user"]);
  });

  test("/system and /reset change the messages", async () => {
    const session = await chat({ pieces: ["Hi."] });
    await say(session, "/system Be brief.", "set");
    await say(session, "One", "seed 1");
    await say(session, "/reset", "forgotten");
    await say(session, "Two", "seed 2");
    await say(session, "/system", "removed");
    await say(session, "Three", "seed 3");
    expect(messagesOf(session, 0)?.map(({ content }) => content)).toEqual(["Be brief.", "One"]);
    expect(messagesOf(session, 1)?.map(({ content }) => content)).toEqual(["Be brief.", "Two"]);
    expect(messagesOf(session, 2)?.map(({ content }) => content)).toEqual(["Two", "Hi.", "Three"]);
    session.type(CTRL_D);
    await session.exit;
  });

  test("/save writes JSON, and overwrites only its own file", async () => {
    const file = join(folder(), "chat.json");
    const taken = join(folder(), "taken.json");
    writeFileSync(taken, "precious");
    const session = await chat({ pieces: ["Hi."] }, ["--system", "S"]);
    await say(session, "One", "seed 1");
    await say(session, `/save ${file}`, "3 messages written");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual([
      { role: "system", content: "S" },
      { role: "user", content: "One" },
      { role: "assistant", content: "Hi." },
    ]);
    await say(session, "Two", "seed 2");
    await say(session, `/save ${file}`, "5 messages written");
    await say(session, `/save ${taken}`, "exists already");
    expect(readFileSync(taken, "utf8")).toBe("precious");
    await say(session, "/save", "expected a file");
    await say(session, `/save ${join(file, "x")}`, "/save: ENOTDIR");
    session.type(CTRL_D);
    await session.exit;
  });

  test("a final backslash continues in the next line", async () => {
    const session = await chat();
    await say(session, "one\\", "… ");
    await say(session, "two", "seed 1");
    expect(messagesOf(session, 0)).toEqual([{ role: "user", content: "one\ntwo" }]);
    session.type(CTRL_D);
    await session.exit;
  });

  test("on a narrow one, a wrapped line of /help goes on below its text", async () => {
    const session = await chat({ columns: 40 });
    await say(session, "/help", "stops an\nanswer.");
    expect(session.stderr).toContain(
      "\n/clear           forget the\n                 conversation, keep the\n                 system message\n",
    );
    for (const line of session.stderr.slice(session.stderr.indexOf("/clear")).split("\n"))
      expect(line.length).toBeLessThanOrEqual(40);
    session.type(CTRL_D);
    await session.exit;
  });

  test("while a long prompt is read, a line tells how much of it is", async () => {
    const progress = [
      { total: 1500, cached: 500, processed: 500 },
      { total: 1500, cached: 500, processed: 1012 },
      { total: 1500, cached: 500, processed: 1500 },
    ];
    const env = { NO_COLOR: "", TERM: "xterm" };
    const session = await chat({ pieces: ["Hi."], progress, env });
    await say(session, "One", "seed 1");
    const line = (count: number) => `\u001b[2mreading ${count} of 1,500 tokens…\u001b[22m`;
    expect(session.stderr).toContain(`${line(500)}\r\u001b[2K${line(1012)}\r\u001b[2K`);
    expect(session.stderr).not.toContain("reading 1500");
    session.type(CTRL_D);
    await session.exit;
    const short = await chat({
      pieces: ["Hi."],
      progress: [{ total: 600, cached: 100, processed: 200 }],
      env,
    });
    await say(short, "One", "seed 1");
    expect(short.stderr).not.toContain("reading");
    short.type(CTRL_D);
    await short.exit;
  });

  test("words of an answer wrap at the terminal's width", async () => {
    const session = await chat({ pieces: ["One two", " three ", "four", "teen."], columns: 12 });
    await say(session, "Count", "seed\n1");
    expect(session.stdout).toBe("One two\nthree four\u001b[7G\u001b[K\nfourteen.\n");
    session.type(CTRL_D);
    await session.exit;
  });

  test("/load goes on with what /save wrote", async () => {
    const file = join(folder(), "chat.json");
    const turns = [
      { role: "system", content: "S" },
      { role: "user", content: "One" },
      { role: "assistant", content: "Hi." },
    ];
    writeFileSync(file, JSON.stringify([...turns, { role: "user", content: "unanswered" }]));
    const session = await chat();
    await say(session, `/load ${file}`, "3 messages read");
    await say(session, "Two", "seed 1");
    expect(messagesOf(session, 0)).toEqual([...turns, { role: "user", content: "Two" }]);
    writeFileSync(file, '{"a": 1}');
    await say(session, `/load ${file}`, "holds no messages");
    writeFileSync(file, "{");
    await say(session, `/load ${file}`, "is no JSON");
    await say(session, `/load ${file}x`, "cannot be read");
    session.type(CTRL_D);
    await session.exit;
  });

  test("begins with the model, its format, adapter and context; each answer says how full that is", async () => {
    const session = await chat({}, ["--model", "owner/name"]);
    expect(session.stderr).toContain("owner/name, q4 on Paper GPU, context 4,096 tokens\n/help lists");
    await say(session, "One", "context 7 of 4,096 tokens, seed 1\n");
    session.type(CTRL_D);
    await session.exit;
  });

  test('""" begins and ends a message of several lines', async () => {
    const session = await chat();
    await say(session, '"""', "… ");
    await say(session, "one", "… ");
    await say(session, 'two"""', "seed 1");
    await say(session, '"""three"""', "seed 2");
    expect(messagesOf(session, 0)).toEqual([{ role: "user", content: "one\ntwo" }]);
    expect(messagesOf(session, 1)?.at(-1)).toEqual({ role: "user", content: "three" });
    session.type(CTRL_D);
    await session.exit;
  });

  test("lines typed during an answer wait, and do not show in it", async () => {
    const session = await chat({ holdAfter: 1 });
    session.type("One\r");
    await session.see("there");
    const before = session.stderr;
    session.type("Two\r");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(session.stderr).toBe(before);
    session.type(CTRL_C);
    await session.see("seed 1\n", "stderr");
    session.type(CTRL_D);
    expect(await session.exit).toBe(0);
    // Ctrl-C has cleared it.
    expect(session.engine.called("chat")).toHaveLength(1);
  });

  test("an error ends the turn, not the chat", async () => {
    const session = await chat({ errors: { chat: new ContextLengthError("too long. Use /reset.") } });
    await say(session, "One", "sirocco: too long. Use /reset.\n");
    await say(session, "Two", "sirocco: too long.");
    // The unanswered question is removed.
    expect(messagesOf(session, 1)).toEqual([{ role: "user", content: "Two" }]);
    session.type(CTRL_D);
    expect(await session.exit).toBe(0);
  });

  test("a lost device ends the chat", async () => {
    const session = await chat({ errors: { chat: new DeviceLostError("the GPU is gone") } });
    session.type("One\r");
    expect(await session.exit).toBe(1);
    expect(session.stderr).toContain("sirocco: the GPU is gone\n");
  });
});

describe("a paste", () => {
  const paste = (text: string) => `\u001b[200~${text}\u001b[201~`;

  test("of several lines is one message, can be edited, and runs no command", async () => {
    const session = await chat();
    await say(session, `${paste("/help\r\none\n\ttwo\r/exit\n")}!\u007f?`, "seed 1");
    expect(messagesOf(session, 0)).toEqual([{ role: "user", content: "/help\none\n\ttwo\n/exit?" }]);
    expect(session.stderr).toContain("/help↵one↵\ttwo↵/exit");
    await say(session, UP, "seed 2");
    expect(messagesOf(session, 1)?.at(-1)?.content).toBe("/help\none\n\ttwo\n/exit?");
    session.type(CTRL_D);
    expect(await session.exit).toBe(0);
  });

  test("that comes in pieces waits for its end", async () => {
    const session = await chat();
    for (const piece of ["\u001b[20", "0~on", "e\r", "two\u001b[2", "01~"]) {
      session.type(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(session.engine.called("chat")).toHaveLength(0);
    await say(session, "", "seed 1");
    expect(messagesOf(session, 0)?.[0]?.content).toBe("one\ntwo");
    session.type(CTRL_D);
    await session.exit;
  });

  test("of one line with a newline at its end waits for Enter, and brings no control characters", async () => {
    const session = await chat();
    session.type(paste("/sys\u0003\u0004\u0007tem Be\u2028brief.\n"));
    await say(session, "", "set");
    await say(session, "One", "seed 1");
    expect(messagesOf(session, 0)?.[0]).toEqual({ role: "system", content: "Be\nbrief." });
    session.type(CTRL_D);
    await session.exit;
  });

  test("during an answer is the next prompt's line", async () => {
    const session = await chat({ holdAfter: 1 });
    session.type("One\r");
    await session.see("there");
    session.type(paste("a\nb"));
    session.type(CTRL_C);
    await session.see("a↵b", "stderr");
    session.type("\r");
    await session.see("there\nthere");
    expect(messagesOf(session, 1)?.at(-1)?.content).toBe("a\nb");
    session.type(CTRL_C);
    await session.see("seed 2", "stderr");
    session.type(CTRL_D);
    await session.exit;
  });

  test("is marked by the terminal from the first prompt until the chat ends", async () => {
    const marks = ({ stderr }: Session) => [...stderr.matchAll(/\u001b\[\?2004[hl]/g)].map(String);
    const [on, off] = ["\u001b[?2004h", "\u001b[?2004l"];
    const ended = await chat();
    expect(marks(ended)).toEqual([on]);
    ended.type("/exit\r");
    await ended.exit;
    expect(marks(ended)).toEqual([on, off]);
    const quit = await chat({ holdAfter: 1, deaf: true });
    quit.type("One\r");
    await quit.see("there");
    quit.type(CTRL_C + CTRL_C);
    await quit.exit;
    expect(marks(quit)).toEqual([on, off]);
    const lost = await chat({ errors: { chat: new DeviceLostError("the GPU is gone") } });
    lost.type("One\r");
    await lost.exit;
    expect(marks(lost)).toEqual([on, off]);
    const dumb = await chat({ env: { TERM: "dumb" } });
    expect(marks(dumb)).toEqual([]);
    dumb.type(CTRL_D);
    await dumb.exit;
  });
});

describe("settings", () => {
  test("/set changes an option for the next answers, with the command line's checks", async () => {
    const session = await chat({}, ["-t", "0.3", "--stop", "x"]);
    await say(session, "/set temperature 0.5", "temperature is 0.5.");
    await say(session, "/set stop a b", 'stop is ["a b"].');
    await say(session, "/set ignore-eos on", "ignore-eos is on.");
    await say(session, "/set seed 7", "seed is 7.");
    await say(session, "One", "seed 7");
    expect(session.engine.called("chat")[0]?.options).toMatchObject({
      ...{ temperature: 0.5, stop: ["a b"], ignoreEos: true, seed: 7, maxTokens: 512 },
    });
    await say(session, "/set temperature -1", '/set temperature: expected a number of at least 0, got "-1"');
    await say(session, "/set ignore-eos 1", '/set ignore-eos: expected on or off, got "1"');
    await say(session, "/set heat 1", "/set heat: no such setting. /set lists them.");
    await say(session, "/set temperature", "temperature is 0.3.");
    await say(session, "/set ignore-eos", "ignore-eos is off.");
    await say(session, "/set stop", 'stop is ["x"].');
    await say(session, "Two", "seed 8");
    expect(session.engine.called("chat")[1]?.options).toMatchObject({
      ...{ temperature: 0.3, stop: ["x"], ignoreEos: false, seed: 8 },
    });
    session.type(CTRL_D);
    await session.exit;
  });

  test("/set lists them; /show also says the model, its adapter, context and system message", async () => {
    const session = await chat({ pieces: ["Hi."] }, ["--model", "owner/name", "--system", "S\u001b[2J"]);
    await say(session, "/set", "ignore-eos          off\n");
    expect(session.stderr).toContain("\ntemperature         0.7\n");
    expect(session.stderr).toContain("\nlogit-bias          none\nseed                1\n");
    await say(session, "One", "seed 1");
    await say(session, "/show", "ignore-eos          off\n");
    expect(session.stderr).toContain(
      [
        "model               owner/name",
        "weights             q4",
        "adapter             Paper GPU",
        "context             4,096 tokens",
        "messages            2",
        "system message      S[2J",
        "max-tokens          512\n",
      ].join("\n"),
    );
    session.type(CTRL_D);
    await session.exit;
  });
});

describe("the Tab key", () => {
  test("completes commands, settings and files", async () => {
    const files = folder();
    writeFileSync(join(files, "chat.json"), "[]");
    mkdirSync(join(files, "chats"));
    writeFileSync(join(files, ".hidden"), "");
    expect(complete("/s")).toEqual([["/system", "/set", "/show", "/save"], "/s"]);
    expect(complete("/set top")).toEqual([["top-k", "top-p"], "top"]);
    expect(complete(`/load ${files}/c`)).toEqual([[`${files}/chat.json`, `${files}/chats/`], `${files}/c`]);
    expect(complete(`/save ${files}/`)[0]).toHaveLength(2);
    expect(complete(`/load ${files}/.h`)[0]).toEqual([`${files}/.hidden`]);
    expect(complete(`/load ${files}/none/x`)[0]).toEqual([]);
    for (const line of ["", "What", "/set top-k 3", "/help x"]) expect(complete(line)[0]).toEqual([]);
    const session = await chat();
    session.type("/set max\t");
    await session.see("-tokens", "stderr");
    await say(session, " 9", "max-tokens is 9.");
    session.type(CTRL_D);
    await session.exit;
  });
});

describe("Ctrl-C at a terminal", () => {
  test("stops the answer, and keeps the chat and the text so far", async () => {
    const session = await chat({ holdAfter: 2 });
    session.type("One\r");
    await session.see("was");
    session.type(CTRL_C);
    await session.see("(abort)", "stderr");
    session.type("Two\r");
    await session.see("there was\nthere was");
    expect(messagesOf(session, 1)).toEqual([
      { role: "user", content: "One" },
      { role: "assistant", content: "there was " },
      { role: "user", content: "Two" },
    ]);
    // The second answer is stopped by a first Ctrl-C of its own.
    session.type(CTRL_C);
    await session.see("seed 2", "stderr");
    session.type(CTRL_D);
    expect(await session.exit).toBe(0);
  });

  test("an answer stopped before its first word removes the question", async () => {
    const session = await chat({ holdAfter: 0 });
    session.type("One\r");
    while (session.engine.called("chat").length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    session.type(CTRL_C);
    await session.see("seed 1", "stderr");
    session.type("Two\r");
    while (session.engine.called("chat").length === 1) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(messagesOf(session, 1)).toEqual([{ role: "user", content: "Two" }]);
    session.type(CTRL_C);
    await session.see("seed 2", "stderr");
    session.type(CTRL_D);
    await session.exit;
  });

  test("twice in an answer quits with 130, even if the engine does not respond", async () => {
    const session = await chat({ holdAfter: 1, deaf: true });
    session.type("One\r");
    await session.see("there");
    session.type(CTRL_C);
    session.type(CTRL_C);
    expect(await session.exit).toBe(130);
  });

  test("at the prompt says how to leave, and the second time leaves", async () => {
    const session = await chat();
    session.type(CTRL_C);
    await session.see("Ctrl-C again, Ctrl-D or /exit to leave.\n", "stderr");
    expect(prompts(session)).toBe(2);
    session.type(CTRL_C);
    expect(await session.exit).toBe(130);
  });

  test("in an answer and then at the prompt leaves; a turn between makes it the first again", async () => {
    const session = await chat({ holdAfter: 1 });
    session.type("One\r");
    await session.see("there");
    session.type(CTRL_C);
    await session.see("(abort)", "stderr");
    await say(session, "/reset", "forgotten");
    session.type(CTRL_C);
    await session.see("Ctrl-C again", "stderr");
    session.type(CTRL_C);
    expect(await session.exit).toBe(130);
  });

  test("drops a half-typed line and nothing else", async () => {
    const session = await chat({ pieces: ["Hi."] });
    session.type("half a li");
    session.type(CTRL_C);
    await say(session, "whole", "seed 1");
    expect(messagesOf(session, 0)).toEqual([{ role: "user", content: "whole" }]);
    session.type(CTRL_D);
    expect(await session.exit).toBe(0);
  });

  test("as a signal to the process does the same", async () => {
    const session = await chat({ holdAfter: 1 });
    session.type("One\r");
    await session.see("there");
    session.interrupt();
    await session.see("(abort)", "stderr");
    session.interrupt();
    expect(await session.exit).toBe(130);
  });
});

describe("history", () => {
  test("of earlier chats is recalled with the up arrow, and is private", async () => {
    const state = folder();
    const first = await chat({ pieces: ["Hi."], env: { XDG_STATE_HOME: state } });
    await say(first, "remember me", "seed 1");
    first.type(CTRL_D);
    await first.exit;
    const file = join(state, "sirocco", "chat-history");
    expect(readFileSync(file, "utf8")).toBe("remember me\n");
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
    const second = await chat({ pieces: ["Hi."], env: { XDG_STATE_HOME: state } });
    await say(second, UP, "seed 1");
    expect(messagesOf(second, 0)).toEqual([{ role: "user", content: "remember me" }]);
    second.type(CTRL_D);
    await second.exit;
  });

  test("is not kept with --no-history", async () => {
    const state = folder();
    const session = await chat({ pieces: ["Hi."], env: { XDG_STATE_HOME: state } }, ["--no-history"]);
    await say(session, "forget me", "seed 1");
    session.type(CTRL_D);
    await session.exit;
    expect(existsSync(join(state, "sirocco"))).toBe(false);
  });

  test("is cut to its latest lines when it is long", async () => {
    const state = folder();
    const first = await chat({ pieces: ["Hi."], env: { XDG_STATE_HOME: state } });
    await say(first, "x", "seed 1");
    first.type(CTRL_D);
    await first.exit;
    const file = join(state, "sirocco", "chat-history");
    writeFileSync(file, Array.from({ length: 1001 }, (_, i) => `line ${i}\n`).join(""));
    const second = await chat({ env: { XDG_STATE_HOME: state } });
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([500, "line 501", "line 1000"]);
    second.type(CTRL_D);
    await second.exit;
  });
});
