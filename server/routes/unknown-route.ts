// Errors for unknown paths and methods: the route that was probably meant, or what to use instead of another
// server's route.
import { HttpError } from "../errors.ts";
import type { Service } from "../service.ts";

/** Routes of other servers and OpenAI's other calls: what to use instead. The first match counts. */
const ELSEWHERE: readonly (readonly [begins: RegExp, instead: string])[] = [
  [
    /^\/v1\/responses\b/,
    "This server has no Responses API. Use POST /v1/chat/completions: client.chat.completions.create, or openai.chat(model) in the AI SDK.",
  ],
  [
    /^\/v1\/(messages|complete)\b(?!\/completions)/,
    "This server has no Anthropic API. Use POST /v1/chat/completions with an OpenAI client.",
  ],
  [
    /^\/api\/(chat|generate)\b/,
    "This server has no Ollama API. Use POST /v1/chat/completions or /v1/completions, which Ollama has as well.",
  ],
  [/^\/api\/(tags|show|ps|version)\b/, "This server has no Ollama API. Use GET /v1/models."],
  [/^\/(api|v1)\/embed\b/, "This model generates text; it makes no embeddings."],
  [
    /^\/openai\/deployments\//,
    "This server has no Azure paths. Use POST /v1/chat/completions, and a client without Azure.",
  ],
  [/^\/v1beta\//, "This server has no Gemini API. Use POST /v1/chat/completions with an OpenAI client."],
  [
    /^\/v1\/(audio|images|videos|rerank|score)\b/,
    "The model continues texts and answers chats, nothing else.",
  ],
  [
    /^\/v1\/(assistants|threads|files|batches|fine_tuning|uploads|vector_stores|realtime|containers|evals|conversations)\b/,
    "This server keeps nothing of its requests. Use POST /v1/chat/completions with the whole conversation.",
  ],
  [/^\/(generate|generate_stream|completion|infill)$/, "Use POST /v1/completions."],
  [/^\/v1\/(chat|completion|edits|engines)\b/, "Use POST /v1/chat/completions or /v1/completions."],
  [/^\/(props|slots|version|info|v1\/internal)\b/, "Use GET /v1/models, /ready or /metrics."],
  [/^\/(docs|openapi\.json|swagger)\b/, "GET / lists the routes."],
];

/**
 * @param allowed methods that the path has
 * @param methodsFor the methods of another path
 */
export function unknownRoute(
  method: string,
  path: string,
  allowed: readonly string[],
  methodsFor: (path: string) => readonly string[],
): HttpError {
  if (allowed.length > 0)
    return new HttpError(405, `${method} ${clip(path)}: expected ${allowed.join(" or ")}. Send that.`, {
      code: "method_not_allowed",
      headers: { Allow: allowed.join(", ") },
    });
  const meant = likely(path).find((other) => other !== path && methodsFor(other).length > 0);
  const tidy = tidied(path);
  const [, instead = "GET / lists the routes."] =
    ELSEWHERE.find(([begins]) => begins.test(tidy) || begins.test(`/v1${tidy}`)) ?? [];
  const advice = meant ? `Use ${methodsFor(meant)[0]} ${clip(meant)}.` : instead;
  return new HttpError(404, `Unknown route: ${method} ${clip(path)}. ${advice}`, { code: "unknown_url" });
}

/** Without doubled or trailing slashes and capitals. */
const tidied = (path: string): string =>
  path
    .replace(/\/{2,}/g, "/")
    .replace(/(?<=.)\/$/, "")
    .toLowerCase();

/** Paths that may have been meant, the likeliest first. */
function likely(path: string): string[] {
  const tidy = tidied(path);
  const rest = tidy.replace(/^(\/(v1|api|openai))+(?=\/)/, "");
  // A path appended to a complete path: /v1/chat/completions/chat/completions.
  const [, last = ""] =
    /(\/(?:chat\/completions|completions|models|moderations|tokenize|detokenize))$/.exec(tidy) ?? [];
  return [tidy, `/v1${tidy}`, `/v1${rest}`, rest, ...(last ? [`/v1${last}`] : [])];
}

/** For visitors with a browser. */
export const welcome = ({ name }: Service, routes: readonly string[]) => ({
  server: "sirocco",
  model: name,
  routes,
  try: "POST /v1/chat/completions",
  documentation: "server/README.md of the package",
});

const clip = (path: string): string => (path.length > 100 ? `${path.slice(0, 100)}…` : path);
