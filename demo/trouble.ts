// Errors in words for visitors, and what they can do about them.
import type { ErrorCode } from "./engine.ts";
import { bytes } from "./format.ts";

/** What the page offers to do. app.ts does it. */
export type Remedy =
  | "retry"
  | "take-over"
  | "keep-nothing"
  | "models"
  | "embedded"
  | "preflight"
  | "new-conversation"
  | "without-system"
  | "without-tools"
  | "continue-text";

export interface Trouble {
  readonly title: string;
  readonly advice: string;
  /** The engine's message, with the numbers. */
  readonly detail: string;
  readonly remedies: readonly Remedy[];
  /** Whether the engine's message says best what to do. */
  readonly shown?: boolean;
  /** The Hub refused access: there was no token, or a wrong one. */
  readonly wantsToken?: boolean;
}

export const REMEDY_LABELS: Readonly<Record<Remedy, string>> = {
  retry: "Try again",
  "take-over": "Take over here",
  "keep-nothing": "Load without storing it",
  models: "Models",
  embedded: "Use the tiny model",
  preflight: "Choose another format",
  "new-conversation": "New conversation",
  "without-tools": "Answer without tools",
  "without-system": "Clear the system prompt",
  "continue-text": "Continue as plain text",
};

type TroubleCode = ErrorCode | "server-unreachable" | "server-key" | "server-refused";
type Words = Omit<Trouble, "detail">;

const NO_GPU: Words = {
  title: "This browser offers no GPU",
  advice:
    "Sirocco computes with WebGPU. Use a recent Chrome, Edge, Safari or Firefox, switch on hardware acceleration in its settings, and update the graphics driver.",
  remedies: ["retry"],
};
const GPU_TOO_SMALL: Words = {
  title: "This GPU cannot run the model in this format",
  advice: "Choose a smaller weight format or a smaller model.",
  remedies: ["preflight", "embedded"],
};
const GPU_LOST: Words = {
  title: "The GPU went away",
  advice:
    "A driver reset or a sleeping computer removes the model from the GPU. Your conversations are safe: load it again.",
  remedies: ["retry", "embedded"],
};
const IN_USE: Words = {
  title: "Another tab has this model",
  advice: "Two copies would need twice the memory. If you take it over, the other tab unloads it.",
  remedies: ["take-over", "embedded"],
};
const NO_ROOM: Words = {
  title: "There is no room to store this model",
  advice: "Delete a model that you no longer need, or load this one without storing it for the next visit.",
  remedies: ["models", "keep-nothing", "embedded"],
};
const NO_MODEL: Words = {
  title: "There is no model at that place",
  advice:
    "Check the name. There must be config.json with .safetensors files, or a GGUF file; of a split one, all parts.",
  shown: true,
  remedies: ["retry"],
};
const WRONG_FILES: Words = {
  title: "Sirocco cannot run these files",
  advice:
    "It runs models of the Mistral, Llama, Qwen and Phi families, in safetensors or GGUF files. The message says what is wrong here, and what to take instead.",
  shown: true,
  remedies: ["retry", "embedded"],
};
const CHAT_REFUSED: Words = {
  title: "The model's chat format refuses this conversation",
  advice: "Some models accept no system prompt, or need questions and answers to alternate.",
  remedies: ["without-system", "new-conversation"],
};
const NO_TOOLS: Words = {
  title: "This model takes no tools",
  advice: "Answer without them, or load a model that was trained for tools.",
  shown: true,
  remedies: ["without-tools", "models"],
};
const DOWNLOAD_FAILED: Words = {
  title: "The download failed",
  advice: "Check the connection. Weights that are already stored on this device are not fetched again.",
  remedies: ["retry", "embedded"],
};
const NO_VALUE: Words = {
  title: "The answer is not the value that was asked for",
  advice: "Ask again, or allow a longer answer.",
  shown: true,
  remedies: ["retry"],
};
const SERVER_SILENT: Words = {
  title: "The server does not answer",
  advice: `Check its address, and that it runs. It also has to allow calls from this page: for Sirocco that is "sirocco serve --cors ${globalThis.location?.origin}".`,
  remedies: ["retry", "models"],
};
const SERVER_KEY: Words = {
  title: "The server asks for a key",
  advice: "Enter the address and the key under Models.",
  shown: true,
  remedies: ["models"],
};
const SERVER_REFUSED: Words = {
  title: "The server refused the request",
  advice: "Its message says why.",
  shown: true,
  remedies: ["retry", "models"],
};
const REFUSED_SETTING: Words = {
  title: "The settings ask for what is not possible",
  advice: "Change them: the message says which.",
  shown: true,
  remedies: ["retry"],
};
const UNKNOWN: Words = {
  title: "Something went wrong",
  advice: "Try again. If that does not help, reload the page.",
  remedies: ["retry"],
};

const BY_CODE: Readonly<Record<TroubleCode, Words>> = {
  "server-unreachable": SERVER_SILENT,
  "server-key": SERVER_KEY,
  "server-refused": SERVER_REFUSED,
  "no-webgpu": NO_GPU,
  "no-adapter": NO_GPU,
  "out-of-memory": {
    title: "The GPU is out of memory",
    advice: "Close other tabs and programs that use the GPU, or load the model in a smaller weight format.",
    remedies: ["preflight", "embedded"],
  },
  "adapter-limit": GPU_TOO_SMALL,
  "kernel-refused": GPU_TOO_SMALL,
  "command-refused": GPU_TOO_SMALL,
  "device-lost": GPU_LOST,
  disposed: GPU_LOST,
  "in-use": IN_USE,
  "taken-over": IN_USE,
  quota: NO_ROOM,
  "no-storage": NO_ROOM,
  forbidden: {
    title: "This model needs your permission to download",
    advice:
      "Its owner lets in those who accepted the terms on the model's page. An access token shows that you did.",
    remedies: ["retry"],
    wantsToken: true,
  },
  "not-found": NO_MODEL,
  html: NO_MODEL,
  http: DOWNLOAD_FAILED,
  offline: DOWNLOAD_FAILED,
  "damaged-file": WRONG_FILES,
  "changed-source": WRONG_FILES,
  "bad-checkpoint": WRONG_FILES,
  "bad-tokenizer": WRONG_FILES,
  "context-length": {
    title: "The conversation is too long for the model",
    advice: "Start a new one, or shorten your message.",
    remedies: ["new-conversation"],
  },
  "no-chat-template": {
    title: "This model was not made for chats",
    advice: "It has no chat format, but it can continue a text that you begin.",
    remedies: ["continue-text"],
  },
  "bad-chat-template": CHAT_REFUSED,
  "refused-messages": CHAT_REFUSED,
  "cut-off": NO_VALUE,
  "refused-value": NO_VALUE,
  "bad-session": UNKNOWN,
  "no-worker": UNKNOWN,
  "wrong-type": REFUSED_SETTING,
  "out-of-range": REFUSED_SETTING,
  unsupported: REFUSED_SETTING,
};

export function explain(error: unknown): Trouble {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const code = codeOf(error);
  const words = wantsNoTools(error) ? NO_TOOLS : code ? BY_CODE[code] : wordsFor(error);
  return { ...words, advice: `${wanting(error)}${words.advice}`, detail: message };
}

/** The code of an error of the engine, or of a server. */
export function codeOf(error: unknown): TroubleCode | undefined {
  const { code } = Object(error) as { readonly code?: unknown };
  return typeof code === "string" && Object.hasOwn(BY_CODE, code) ? (code as TroubleCode) : undefined;
}

/** Whether the model, or its server, refuses tools as such. */
function wantsNoTools(error: unknown): boolean {
  const code = codeOf(error);
  const { parameter } = Object(error) as { readonly parameter?: unknown };
  return parameter === "tools" && (code === "unsupported" || code === "server-refused");
}

/** The words for an error of the browser, which has no code. */
function wordsFor(error: unknown): Words {
  if (error instanceof DOMException && error.name === "QuotaExceededError") return NO_ROOM;
  // Some of the site's own files are fetched when they are first used.
  return navigator.onLine ? UNKNOWN : DOWNLOAD_FAILED;
}

/** A StorageError may say how many bytes are missing. */
function wanting(error: unknown): string {
  const { missingBytes } = error as { missingBytes?: unknown };
  return typeof missingBytes === "number"
    ? `It needs ${bytes(missingBytes)} more than this browser allows. `
    : "";
}
