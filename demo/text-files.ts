// Text files in a message: each is a fenced block under the file's name, after the words of the message.
import { bytes } from "./format.ts";

export interface TextFile {
  readonly name: string;
  readonly text: string;
}

/** In bytes, for all files of one message: about 32,000 tokens. */
const MOST_BYTES = 128_000;

/** @returns whether a model is made of such files */
export const isWeights = ({ name }: File): boolean => /\.(safetensors|gguf)$/i.test(name);

export const sizeOf = ({ text }: TextFile): number => new TextEncoder().encode(text).length;

/**
 * @param held bytes of the message's other files
 * @throws Error that names the file, if it is no text in UTF-8 or too large
 */
export async function readTextFile(file: File, held: number): Promise<TextFile> {
  const { name, size } = file;
  if (held + size > MOST_BYTES)
    throw new Error(
      `${name} (${bytes(size)}) is too large. The files of a message hold at most ${bytes(MOST_BYTES)}, ` +
        "about 32,000 tokens.",
    );
  const content = new Uint8Array(await file.arrayBuffer());
  if (content.length === 0) throw new Error(`${name} is empty.`);
  const [first, second] = content;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    throw new Error(`${name} is text in UTF-16. Save it as UTF-8.`);
  // Text has no control characters but tabs, ends of lines and pages, and escapes.
  if (content.some((byte) => byte < 32 && ![9, 10, 12, 13, 27].includes(byte)))
    throw new Error(`${name} is not a text file.`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
    return { name: name.replace(/[`\s]+/g, " "), text: text.replace(/\r\n?/g, "\n").replace(/\n+$/, "") };
  } catch {
    throw new Error(`${name} is not text in UTF-8. Save it as UTF-8.`);
  }
}

/** A block of code in Markdown. */
export function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** @returns the message with its files. `splitMessage` finds them again. */
export function joinMessage(words: string, files: readonly TextFile[]): string {
  const blocks = files.map(({ name, text }) => {
    const language = /\.([\w+#-]{1,30})$/.exec(name)?.[1] ?? "";
    return `\`${name}\`:\n\n${fenced(text, language)}`;
  });
  return [words.trim(), ...blocks].filter(Boolean).join("\n\n");
}

export function splitMessage(content: string): { words: string; files: TextFile[] } {
  const files: TextFile[] = [];
  const words = content.replace(
    /(?:^|\n\n)`([^`\n]+)`:\n\n(`{3,})[\w+#-]*\n([\s\S]*?)\n\2(?=\n\n`|$)/g,
    (_, name: string, _fence, text: string) => {
      files.push({ name, text });
      return "";
    },
  );
  return { words, files };
}
