// Text files in a message: picked, pasted, dropped, refused, sent. Weights that are dropped are a model.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

let site: Site;
let page: Page;
beforeAll(async () => {
  site = await openSite();
  page = await site.open();
});
afterAll(() => site?.close());
afterEach(() => expect(site.complaints()).toEqual([]));

const chips = () => page.getByRole("list", { name: "Files of the message" }).getByRole("listitem");
const names = () => chips().locator("span:not(.facts)").allTextContents();
/** What a mouse or a keyboard would send. */
const give = (target: string, type: "drop" | "paste", files: Record<string, string>) =>
  page.locator(target).evaluate(
    (element, { type, files }) => {
      const data = new DataTransfer();
      for (const [name, text] of Object.entries(files)) data.items.add(new File([text], name));
      const event =
        type === "drop"
          ? new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true })
          : new ClipboardEvent(type, { clipboardData: data, bubbles: true, cancelable: true });
      return !element.dispatchEvent(event);
    },
    { type, files },
  );

test("picked, pasted and dropped files are chips; one can be removed", async () => {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Add text files" }).click();
  await (await chooser).setFiles([
    { name: "a.py", mimeType: "text/x-python", buffer: Buffer.from("x = 1\n") },
  ]);
  await expect.poll(names).toEqual(["a.py"]);
  expect(await give("#message", "paste", { "b.txt": "bee" })).toBe(true);
  expect(await give("main", "drop", { "c.md": "# C", "d.json": "{}" })).toBe(true);
  await expect.poll(names).toEqual(["a.py", "b.txt", "c.md", "d.json"]);
  await page.getByRole("button", { name: "Remove c.md" }).click();
  await expect.poll(names).toEqual(["a.py", "b.txt", "d.json"]);
  expect(await chips().first().locator(".facts").textContent()).toBe("5 bytes");
});

test("a file that is no text is refused by name, the others are kept", async () => {
  await give("main", "drop", { "cat.png": "\0PNG", "b.txt": "another bee" });
  await page.getByText("cat.png is not a text file.").waitFor();
  await expect.poll(names).toEqual(["a.py", "d.json", "b.txt"]);
});

test("files are sent without words, too, and shown as chips that open", async () => {
  await page.getByRole("button", { name: "Send" }).click();
  const sent = page.getByRole("article", { name: "You" });
  await sent.getByText("a.py").click();
  expect(await sent.locator("details[open] pre").textContent()).toBe("x = 1");
  expect(await sent.locator("details").count()).toBe(3);
  expect(await chips().count()).toBe(0);
  const kept = await page.evaluate(
    () => Object.entries(localStorage).find(([key]) => /conversation/.test(key))?.[1],
  );
  expect(JSON.parse(kept ?? "").turns[0].content).toMatch(/^`a\.py`:\n\n```py\nx = 1\n```\n\n`d\.json`:/);
});

test("weights that are dropped are a model to load", async () => {
  await give("main", "drop", { "config.json": "{}", "model.safetensors": "\0" });
  await page.locator("dialog[open]").waitFor();
  expect(await chips().count()).toBe(0);
});
