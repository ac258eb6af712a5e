// Option values of `serve` that name hosts, pages and keys: normalised, or refused with what would do.
import { isIP } from "node:net";
import { parseOrigin } from "../server/origin.ts";
import { UsageError } from "./errors.ts";
import { expected } from "./parse.ts";

/** An address or a host's name to listen on: no scheme, no port. */
export function host(text: string): string {
  const bare = /^\[.*\]$/.test(text) ? text.slice(1, -1) : text;
  if (isIP(bare) > 0) return bare;
  if (/^[a-z\d]([\w-]*[a-z\d])?(\.[a-z\d]([\w-]*[a-z\d])?)*\.?$/i.test(bare) && bare.length <= 253) {
    // "127.1" and "256.0.0.1" would be looked up as names.
    if (/[a-z]/i.test(bare)) return bare.toLowerCase();
  }
  const hint = /^\w+:\/\/|:\d+$/.test(text) ? " alone: the port is --port's" : "";
  throw expected("--host", `an address or a host's name${hint}, as in 127.0.0.1`, text);
}

/** The origin of pages as browsers send it, or *. */
export function origin(text: string): string {
  try {
    return parseOrigin(text);
  } catch (error) {
    throw new UsageError(`--cors: ${(error as Error).message}`);
  }
}

/** A key for the header Authorization; errors do not show it. @param where "--api-key", a line of a file */
export function apiKey(where: string) {
  return (text: string): string => {
    if (/^[\x21-\x7e]+$/.test(text) && text.length <= 4096) return text;
    const got = text.trim() === "" ? "none" : text.length > 4096 ? "a longer one" : "others in it";
    throw new UsageError(
      `${where}: expected a key of up to 4096 visible ASCII characters without spaces, got ${got}`,
    );
  };
}
