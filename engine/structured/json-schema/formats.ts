// Formats of texts that are held to, as regular expressions for the whole text. Each allows part of what its
// standard does, and nothing else.

interface Format {
  readonly pattern: string;
  /** Patterns that look ahead, which every such text matches. */
  readonly within?: readonly string[];
}

const DATE = [
  String.raw`\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])`,
  String.raw`|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))`,
].join("");
const CLOCK = String.raw`(?:[01]\d|2[0-3]):[0-5]\d`;
const TIME = String.raw`${CLOCK}:[0-5]\d(?:\.\d{1,6})?(?:Z|[+\-]${CLOCK})`;
const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9\\-]{0,30}[A-Za-z0-9])?";
const NAME = String.raw`(?:${LABEL}\.){1,5}[A-Za-z]{2,20}`;
const WORD = "[A-Za-z0-9_+\\-]{1,30}";
const HEX = "[0-9A-Fa-f]";
const GROUP = `${HEX}{1,4}`;
const SHORTENED = [1, 2, 3, 4, 5, 6].map((k) => `(?:${GROUP}:){1,${7 - k}}(?::${GROUP}){1,${k}}`);
const HOURS = String.raw`(?:\d{1,4}H(?:\d{1,4}M)?(?:\d{1,4}S)?|\d{1,4}M(?:\d{1,4}S)?|\d{1,4}S)`;
const DAYS = String.raw`(?:\d{1,4}Y(?:\d{1,4}M)?(?:\d{1,4}D)?|\d{1,4}M(?:\d{1,4}D)?|\d{1,4}D)`;
const PATH = "[A-Za-z0-9._~\\-]{0,60}";

export const FORMATS: Readonly<Record<string, Format>> = {
  // RFC 3339, without the 29th of February and leap seconds.
  date: { pattern: DATE },
  time: { pattern: TIME },
  "date-time": { pattern: `${DATE}T${TIME}` },
  // RFC 3339, appendix A.
  duration: {
    pattern: String.raw`P(?:\d{1,4}W|${DAYS}(?:T${HOURS})?|T${HOURS})`,
    within: [
      // zod's z.iso.duration().
      String.raw`^P(?:(\d+W)|(?!.*W)(?=\d|T\d)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?)$`,
    ],
  },
  // RFC 5321, without quotes.
  email: {
    pattern: String.raw`${WORD}(?:\.${WORD}){0,4}@${NAME}`,
    within: [
      // z.email() of earlier zods.
      String.raw`^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$`,
    ],
  },
  // RFC 1123, with a dot at least.
  hostname: {
    pattern: NAME,
    within: [
      // zod's z.hostname().
      String.raw`^(?=.{1,253}\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\.?$`,
    ],
  },
  // RFC 2673 and RFC 4291.
  ipv4: { pattern: String.raw`${OCTET}(?:\.${OCTET}){3}` },
  ipv6: {
    pattern: `(?:${GROUP}:){7}${GROUP}|(?:${GROUP}:){1,7}:|:(?::${GROUP}){1,7}|${SHORTENED.join("|")}`,
  },
  // RFC 3986: addresses of the web.
  uri: {
    pattern: String.raw`https?:\/\/${NAME}(?::[1-9]\d{0,3})?(?:\/${PATH}){0,10}(?:\?${PATH})?(?:#${PATH})?`,
  },
  // RFC 9562.
  uuid: { pattern: `${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}` },
};
