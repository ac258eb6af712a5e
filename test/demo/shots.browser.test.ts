import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";
let site: Site;
beforeAll(async () => { site = await openSite(); });
afterAll(() => site?.close());
test("shots", async () => {
  mkdirSync("/tmp/shots", { recursive: true });
  const page = await site.open();
  page.on("dialog", (d) => void d.accept());
  const wide = { width: 1180, height: 760 }, phone = { width: 390, height: 780 };
  const shot = async (name: string) => {
    for (const [size, viewport] of Object.entries({ wide, phone })) for (const scheme of ["light", "dark"] as const) {
      if (size === "phone" && scheme === "dark" && name !== "chat") continue;
      await page.setViewportSize(viewport); await page.emulateMedia({ colorScheme: scheme });
      await page.waitForTimeout(60);
      await page.screenshot({ path: `/tmp/shots/${name}-${size}-${scheme}.png` });
    }
    await page.setViewportSize(wide);
  };
  await page.waitForTimeout(300);
  await shot("welcome");
  const t = Date.now();
  await page.getByRole("button", { name: "Tell me a story about a cat named Tom." }).click();
  await page.locator("markdown-text").first().waitFor();
  console.log("first token", Date.now() - t);
  await page.getByRole("button", { name: "Regenerate" }).waitFor();
  console.log("answer", Date.now() - t, site.complaints());
  await page.locator("#message").fill("Tell me a story about a little girl named Lily.");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Regenerate" }).waitFor();
  await shot("chat");
  await page.getByRole("button", { name: "Settings" }).click();
  await shot("settings");
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: /^Model/ }).click();
  await page.locator("#model-folder").setInputFiles("weights/tiny-mistral");
  await page.getByRole("button", { name: "Load", exact: true }).waitFor();
  await shot("preflight");
  await page.getByRole("button", { name: "Cancel" }).click();
  await shot("models");
  await page.route("https://huggingface.co/**", (route) => route.fulfill({ status: 401, headers: { "access-control-allow-origin": "*" } }));
  await page.getByRole("button", { name: /Mistral 7B/ }).click();
  await page.getByLabel("Access token").waitFor();
  await shot("gated");
  console.log(site.complaints());
  expect(1).toBe(1);
});
