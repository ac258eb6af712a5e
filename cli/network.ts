// Option values of `serve`: hosts, origins and keys. Each is normalised, or refused with an example.
import { isIP } from "node:net";
import { parseOrigin } from "../server/origin.ts";
import { UsageError } from "./errors.ts";
import { expected } from "./parse.ts";

/** An address or a host name to listen on, without scheme and port. */
export function host(text: string): string {
  const bare = /^\[.*\]$/.test(text) ? text.slice(1, -1) : text;
  if (isIP(bare) > 0) return bare;
  if (/^[a-z\d]([\w-]*[a-z\d])?(\.[a-z\d]([\w-]*[a-z\d])?)*\.?$/i.test(bare) && bare.length <= 253) {
    // Without a letter it is a wrong address, such as "127.1" or "256.0.0.1", which would be looked up as a
    // name.
    if (/[a-z]/i.test(bare)) return bare.toLowerCase();
  }
  const hint = /^\w+:\/\/|:\d+$/.test(text) ? " alone: the port is --port's" : "";
  throw expected("--host", `an address or a host's name${hint}, as in 127.0.0.1`, text);
}

/** An origin as browsers send it, or *. */
export function origin(text: string): string {
  try {
    return parseOrigin(text);
  } catch (error) {
    throw new UsageError(`--cors: ${(error as Error).message}`);
  }
}

/** A key for the Authorization header. Errors do not contain it. @param where for messages, as "--api-key" */
export function apiKey(where: string) {
  return (text: string): string => {
    if (/^[\x21-\x7e]+$/.test(text) && text.length <= 4096) return text;
    const got = text.trim() === "" ? "none" : text.length > 4096 ? "a longer one" : "others in it";
    throw new UsageError(
      `${where}: expected a key of up to 4096 visible ASCII characters without spaces, got ${got}`,
    );
  };
}
