// The tiny model of the package, for browsers. Its source has no version, so it is not stored: the page has
// it already.
import { CheckpointError, httpSource, type Source } from "../weights/index.ts";

/**
 * Written out one by one: bundlers look for exactly these expressions, copy each file, and insert its
 * address.
 */
const addresses = (): Readonly<Record<string, URL>> => ({
  "config.json": new URL("../weights/tiny-mistral/config.json", import.meta.url),
  "generation_config.json": new URL("../weights/tiny-mistral/generation_config.json", import.meta.url),
  "model.safetensors.index.json": new URL(
    "../weights/tiny-mistral/model.safetensors.index.json",
    import.meta.url,
  ),
  "model-00001-of-00002.safetensors": new URL(
    "../weights/tiny-mistral/model-00001-of-00002.safetensors",
    import.meta.url,
  ),
  "model-00002-of-00002.safetensors": new URL(
    "../weights/tiny-mistral/model-00002-of-00002.safetensors",
    import.meta.url,
  ),
  "tokenizer.json": new URL("../weights/tiny-mistral/tokenizer.json", import.meta.url),
  "tokenizer_config.json": new URL("../weights/tiny-mistral/tokenizer_config.json", import.meta.url),
  "special_tokens_map.json": new URL("../weights/tiny-mistral/special_tokens_map.json", import.meta.url),
});

export function embeddedSource(): Source {
  const files = addresses();
  const folders = new Map<string, Source>();

  /** The folder of a file, and its name there, to which a bundler may have added a digest. */
  const locate = (url: URL): [Source, string] => {
    const base = new URL(".", url).href;
    const folder = folders.get(base) ?? httpSource(base);
    folders.set(base, folder);
    return [folder, decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf("/") + 1))];
  };

  return {
    name: "the embedded model",
    async size(file, signal) {
      const url = files[file];
      if (!url) return undefined;
      if (url.protocol === "data:") return inlined(url).length;
      const [folder, name] = locate(url);
      return folder.size(name, signal);
    },
    async read(file, start, end, signal) {
      const url = files[file];
      if (!url)
        throw new CheckpointError(
          `${file}: expected a file of the embedded model, got another. Name a source.`,
        );
      if (url.protocol === "data:") return inlined(url).slice(start, end);
      const [folder, name] = locate(url);
      return folder.read(name, start, end, signal);
    },
  };
}

/**
 * Decodes a file that a bundler inlined. Without `fetch`: a Content-Security-Policy may forbid it data:
 * addresses.
 */
function inlined({ href }: URL): Uint8Array<ArrayBuffer> {
  const [head = "", body = ""] = href.split(/,(.*)/s, 2);
  const text = head.endsWith(";base64") ? atob(decodeURIComponent(body)) : decodeURIComponent(body);
  return head.endsWith(";base64")
    ? Uint8Array.from(text, (character) => character.charCodeAt(0))
    : new TextEncoder().encode(text);
}
