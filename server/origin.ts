// Origins of pages as browsers write them in the header Origin: scheme, host, and the port if it is not the
// default one.
import { isIP } from "node:net";

/**
 * @param text "http://localhost:5173", also with a trailing slash, a default port or capitals; "null", sent
 * by pages opened from files; "*" for all
 * @returns the origin as a browser sends it
 * @throws RangeError if no browser could send it
 */
export function parseOrigin(text: string): string {
  if (text === "*" || text === "null") return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@*,]+\/?$/i.test(text);
  if (url && isOrigin && url.protocol !== "file:" && url.host !== "" && url.host.length <= 260)
    return url.origin === "null" ? `${url.protocol}//${url.host}` : url.origin;
  const example = guess(text) ?? "http://localhost:5173";
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  throw new RangeError(`expected an origin, as in ${example}, or * for all, got ${JSON.stringify(shown)}`);
}

/** What was probably meant: with a scheme, without a path. */
function guess(text: string): string | undefined {
  const [, scheme = "http:", host = ""] =
    /^\s*(https?:(?=\/\/))?(?:\/\/)?([\w.-]+(?::\d+)?|\[[\da-f:.]+\](?::\d+)?)(?=[\s,/?#]|$)/i.exec(text) ??
    [];
  const origin = `${scheme}//${host}`;
  return host !== "" && host.length <= 80 && URL.canParse(origin) ? new URL(origin).origin : undefined;
}

/**
 * Whether a page of this origin came from the server at `host`. A name other than localhost does not count:
 * its owner could point it to this machine after a visitor has loaded a page from elsewhere (DNS rebinding).
 */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: own, hostname } = new URL(origin);
  if (!/^https?:$/.test(protocol) || own !== hostOf(protocol, host)) return false;
  return isIP(hostname.replace(/^\[|\]$/g, "")) !== 0 || /(^|\.)localhost$/.test(hostname);
}

const hostOf = (protocol: string, host: string): string | undefined => {
  const address = `${protocol}//${host}`;
  return URL.canParse(address) ? new URL(address).host : undefined;
};
