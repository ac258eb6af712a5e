// The keys of `sirocco serve`: from options, a file and the environment.
import { createReadStream } from "node:fs";
import { UsageError } from "./errors.ts";
import { apiKey as checked } from "./network.ts";

interface Options {
  readonly apiKey?: readonly string[];
  readonly apiKeyFile?: string;
}

/** Largest file with keys: a larger one is a mistake. */
const MAX_BYTES = 2 ** 20;

/** Each key once. @throws UsageError, whose message never contains a key */
export async function readApiKeys(
  { apiKey = [], apiKeyFile }: Options,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const fromEnv = env["SIROCCO_API_KEY"];
  const keys = [
    ...apiKey,
    // A variable set from a file may end with its newline.
    ...(fromEnv ? [checked("SIROCCO_API_KEY")(fromEnv.trim())] : []),
    ...(apiKeyFile !== undefined ? await fromFile(apiKeyFile) : []),
  ];
  return [...new Set(keys)];
}

/** One key a line. Lines that begin with # are comments. */
async function fromFile(path: string): Promise<string[]> {
  const keys: string[] = [];
  const lines = (await readText(path)).split(/\r\n?|\n/);
  for (const [i, line] of lines.entries()) {
    const text = line.trim();
    if (text !== "" && !text.startsWith("#"))
      keys.push(checked(`--api-key-file: "${path}", line ${i + 1}`)(text));
  }
  if (keys.length === 0) throw new UsageError(`--api-key-file: expected a key a line, got none in "${path}"`);
  return keys;
}

/** Without a byte order mark. Reads pipes as well, as in `--api-key-file <(pass show sirocco)`. */
async function readText(path: string): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of createReadStream(path, { end: MAX_BYTES })) {
      parts.push(part as Buffer);
      length += (part as Buffer).length;
    }
  } catch (cause) {
    throw new UsageError(`--api-key-file: "${path}" cannot be read`, { cause });
  }
  if (length > MAX_BYTES)
    throw new UsageError(`--api-key-file: expected at most ${MAX_BYTES} bytes, got more in "${path}"`);
  // Bytes that are not UTF-8 become U+FFFD, which the check of keys refuses.
  return new TextDecoder().decode(Buffer.concat(parts));
}
