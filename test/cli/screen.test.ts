// What a chat shows in a real terminal: commands, pastes, Ctrl-C, wide and narrow.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ensureBuild } from "../../scripts/build.mjs";
import { skipped, Terminal } from "./terminal.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sirocco-"));
let terminal: Terminal | undefined;

beforeAll(async () => {
  expect(await ensureBuild({ silent: true })).toBe(true);
});
afterEach(() => {
  terminal?.close();
  terminal = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A chat at its first prompt. */
async function chat(columns: number, ...args: readonly string[]): Promise<Terminal> {
  const command = [process.execPath, main, "chat", "-t", "0", ...args];
  terminal = new Terminal(command, columns, { XDG_STATE_HOME: folder });
  await terminal.see("\n>");
  return terminal;
}

const last = (lines: readonly string[], count: number) => lines.slice(-count);
const messages = (file: string) =>
  JSON.parse(readFileSync(file, "utf8")).map(({ content }: { readonly content: string }) => content);

// It does not depend on the driver, and SwiftShader takes seconds for a token.
const setting = { skip: skipped || process.env["SIROCCO_DRIVER"] === "swiftshader", timeout: 180_000 };

describe.each([80, 40])("a chat on a terminal of %d columns", setting, (columns) => {
  test("begins with two facts and a prompt, and without a driver's warnings", async () => {
    const lines = await (await chat(columns)).see("leaves.");
    const text = lines.join(" ");
    expect(text).toMatch(/^the embedded tiny model, bf16 on .*, context unlimited \/help lists/);
    expect(text).toMatch(/leaves\. >$/);
  });

  test("takes a paste of several lines as one message, which can be edited", async () => {
    const file = join(folder, `paste-${columns}.json`);
    const screen = await chat(columns, "-n", "4");
    screen.paste("/help\n\tTell me a story about a cat\n/exit\nand a dog\n");
    await screen.see("/exit↵and a dog");
    // The line is drawn anew in its place, also where it takes several rows.
    screen.keys("s", "BSpace", "BSpace", "t");
    const lines = await screen.see("and a dot");
    const typed = lines.slice(lines.findIndex((line) => line.startsWith(">")));
    expect(typed).toEqual(
      columns === 80
        ? ["> /help↵        Tell me a story about a cat↵/exit↵and a dot"]
        : ["> /help↵        Tell me a story about a", "cat↵/exit↵and a dot"].map((line) =>
            expect.stringContaining(line),
          ),
    );
    screen.keys("Enter");
    await screen.see("(length)");
    screen.keys(`/save ${file}`, "Enter");
    await screen.see("2 messages written");
    expect(messages(file)[0]).toBe("/help\n\tTell me a story about a cat\n/exit\nand a dot");
    screen.keys("/exit", "Enter");
    await screen.see("exit 0");
  });

  test('takes """ and continued lines, commands and their Tab key', async () => {
    const file = join(folder, `quotes-${columns}.json`);
    const screen = await chat(columns, "-n", "4");
    for (const line of ['"""One', '"quoted"', 'end"""']) screen.keys("-l", `${line}\r`);
    await screen.see("(length)");
    screen.keys("/set max", "Tab");
    await screen.see("/set max-tokens");
    screen.keys(" 9", "Enter");
    await screen.see("max-tokens is 9.");
    screen.keys("/sho", "Tab");
    await screen.see("> /show");
    screen.keys("Enter");
    const shown = await screen.see("ignore-eos          off");
    expect(shown).toContain("max-tokens          9");
    screen.keys(`/save ${file}`, "Enter");
    await screen.see("2 messages written");
    expect(messages(file)[0]).toBe('One\n"quoted"\nend');
    screen.keys("/help", "Enter");
    const help = await screen.see(columns === 80 ? "or stops an answer." : "or stops an\nanswer.");
    const at = help.lastIndexOf("/think           show what the model");
    if (columns === 40) expect(help[at + 1]).toBe("                 thinks, or hide it");
    else expect(help).toContain("/think           show what the model thinks, or hide it again");
  });

  test("Ctrl-C stops an answer, clears a line, and leaves at the second time", async () => {
    const screen = await chat(columns, "-n", "4000", "--ignore-eos");
    screen.keys("Tell me a story", "Enter");
    await screen.see("Once upon");
    screen.keys("dropped", "Enter", "C-c");
    await screen.see("(abort)");
    const stopped = await screen.see(`\n>`);
    expect(stopped.join("\n")).not.toContain("dropped");
    screen.keys("half a line", "C-c");
    screen.keys("/syst", "Enter");
    const lines = await screen.see("no such command");
    expect(lines.join("\n")).toContain("\n> /syst\n");
    screen.keys("C-c");
    await screen.see("Ctrl-C again");
    screen.keys("C-c");
    const end = await screen.see("exit 130");
    expect(last(end, 2)).toEqual([">", "exit 130"]);
  });
});

test("without an adapter, the terminal shows the error and no native stack", setting, async () => {
  const none = join(folder, "no-driver.json");
  terminal = new Terminal([process.execPath, main, "chat"], 120, {
    ...{ SIROCCO_ADAPTER: "webgpu", VK_DRIVER_FILES: none, VK_ICD_FILENAMES: none },
  });
  const lines = await terminal.see("exit 1");
  expect(lines.join("\n")).toMatch(/sirocco: .*adapter/);
  expect(lines.filter((line) => /^\s+at |^\s*#\d/.test(line))).toEqual([]);
});
