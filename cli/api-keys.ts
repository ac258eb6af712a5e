// The keys of `sirocco serve`: from options, a file and the environment.
import { UsageError } from "./errors.ts";
import { readTextFile } from "./input.ts";

interface Options {
  readonly apiKey?: readonly string[];
  readonly apiKeyFile?: string;
}

/** @throws UsageError, which never shows a key */
export async function readApiKeys(
  { apiKey = [], apiKeyFile }: Options,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const fromEnv = env["SIROCCO_API_KEY"];
  const keys = [...apiKey, ...(fromEnv ? [fromEnv] : []), ...(apiKeyFile ? await fromFile(apiKeyFile) : [])];
  if (keys.some((key) => !/^[\x21-\x7e]+$/.test(key)))
    throw new UsageError("--api-key: expected visible ASCII characters without spaces, got others in one");
  return keys;
}

/** One a line; what follows a # at the start of a line is a comment. */
async function fromFile(path: string): Promise<string[]> {
  const text = await readTextFile(path, "--api-key-file").catch((cause: Error) => {
    throw new UsageError(cause.message, { cause: cause.cause });
  });
  const keys = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (keys.length === 0) throw new UsageError(`--api-key-file: expected a key a line, got none in "${path}"`);
  return keys;
}
