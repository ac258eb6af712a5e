// What the page remembers of models, and the names that visitors give them.
import { beforeEach, expect, test, vi } from "vitest";
import { keptWindow, rememberWindow, windowOf } from "../../demo/last-model.ts";
import { modelName, serverAddress, withoutFile } from "../../demo/model-name.ts";

const kept = new Map<string, string>();
beforeEach(() => {
  kept.clear();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
});

test("a window is remembered with its model, and that it was not wanted", () => {
  const choice = (name: string) => ({ kind: "named", name }) as const;
  rememberWindow(choice("a/b/m.gguf"), 4096);
  rememberWindow(choice("a/c"), undefined);
  expect([windowOf(choice("a/b/m.gguf")), keptWindow(choice("a/b/m.gguf"))]).toEqual([
    4096,
    { window: 4096 },
  ]);
  expect([windowOf(choice("a/c")), keptWindow(choice("a/c"))]).toEqual([null, {}]);
  expect([windowOf(choice("a/d")), keptWindow(choice("a/d"))]).toEqual([undefined, {}]);
  kept.set("sirocco.windows", '{"a/b":"4096","a/d":7}');
  expect([keptWindow(choice("a/b")), keptWindow(choice("a/d"))]).toEqual([{}, { window: 7 }]);
  kept.set("sirocco.windows", "{");
  expect(keptWindow(choice("a/d"))).toEqual({});
});

test.each([
  ["a/b", "a/b"],
  ["a/b@main/m.gguf", "a/b/m.gguf"],
  ["https://huggingface.co/a/b", "a/b"],
  ["huggingface.co/a/b/tree/main", "a/b"],
  ["https://huggingface.co/a/b/tree/v1", "a/b@v1"],
  ["https://hf.co/a/b/blob/main/m%20q.gguf?download=true", "a/b/m q.gguf"],
  ["https://huggingface.co/a/b/resolve/main/m.gguf", "a/b/m.gguf"],
  ["https://example.com/m/", "https://example.com/m"],
  ["https://example.com/m.gguf", "https://example.com/m.gguf"],
])("%s is loaded as %s", (typed, name) => {
  expect(modelName(typed)).toBe(name);
});

test("the repository of a file", () => {
  expect(withoutFile("a/b@refs/pr/1/m.gguf")).toBe("a/b@refs/pr/1");
  expect(withoutFile("a/b")).toBe("a/b");
});

test.each([
  ["localhost:8000", "http://localhost:8000/v1"],
  [" http://127.0.0.1:8080/ ", "http://127.0.0.1:8080/v1"],
  ["192.168.1.7:11434/v1", "http://192.168.1.7:11434/v1"],
  ["api.example.com", "https://api.example.com/v1"],
  ["https://api.example.com/openai/v1/chat/completions", "https://api.example.com/openai/v1"],
  ["https://api.example.com/v1/models/", "https://api.example.com/v1"],
  ["", undefined],
  ["no address", undefined],
  ["http://", undefined],
])("the API of a server at %j begins at %j", (typed, address) => {
  expect(serverAddress(typed)).toBe(address);
});
