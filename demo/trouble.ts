// What went wrong, in words for whoever sits before the page, and what they can do about it.
import type { ErrorCode } from "./engine.ts";
import { bytes } from "./format.ts";

/** What the page offers to do; app.ts does it. */
export type Remedy =
  | "retry"
  | "take-over"
  | "keep-nothing"
  | "models"
  | "embedded"
  | "preflight"
  | "new-conversation"
  | "without-system"
  | "continue-text";

export interface Trouble {
  readonly title: string;
  readonly advice: string;
  /** The message of the engine, which has the numbers. */
  readonly detail: string;
  readonly remedies: readonly Remedy[];
  /** The Hub refused the model to who asked without a token, or with a wrong one. */
  readonly wantsToken?: boolean;
}

export const REMEDY_LABELS: Readonly<Record<Remedy, string>> = {
  retry: "Try again",
  "take-over": "Take over here",
  "keep-nothing": "Load without keeping it",
  models: "Models on this device",
  embedded: "Use the tiny model",
  preflight: "Choose another format",
  "new-conversation": "New conversation",
  "without-system": "Clear the system prompt",
  "continue-text": "Continue as plain text",
};

type Words = Omit<Trouble, "detail">;

const NO_GPU: Words = {
  title: "This browser offers no GPU",
  advice:
    "Sirocco computes with WebGPU. Use a recent Chrome, Edge, Safari or Firefox, switch on hardware acceleration in its settings, and update the graphics driver.",
  remedies: ["retry"],
};
const GPU_TOO_SMALL: Words = {
  title: "This GPU cannot run the model so",
  advice: "Choose a smaller weight format or a smaller model.",
  remedies: ["preflight", "embedded"],
};
const GPU_LOST: Words = {
  title: "The GPU went away",
  advice:
    "A driver reset or a sleeping computer takes the model with it. Your conversations are safe: load it again.",
  remedies: ["retry", "embedded"],
};
const IN_USE: Words = {
  title: "Another tab has this model",
  advice: "Two copies would take the memory twice. Take it over, and the other tab lets go of it.",
  remedies: ["take-over", "embedded"],
};
const NO_ROOM: Words = {
  title: "There is no room to keep this model",
  advice: "Delete a model that you no longer need, or load this one without keeping it for next time.",
  remedies: ["models", "keep-nothing", "embedded"],
};
const NO_MODEL: Words = {
  title: "There is no model at that place",
  advice: "Check the name. A folder or an address must hold config.json and .safetensors files.",
  remedies: ["retry"],
};
const WRONG_FILES: Words = {
  title: "These files are no model that runs here",
  advice: "Sirocco runs models of the Mistral and Llama families, as safetensors.",
  remedies: ["retry", "embedded"],
};
const CHAT_REFUSED: Words = {
  title: "The model's chat format refuses this conversation",
  advice: "Some models take no system prompt, or want question and answer to alternate.",
  remedies: ["without-system", "new-conversation"],
};
const DOWNLOAD_FAILED: Words = {
  title: "The download broke off",
  advice: "Check the connection. Loading goes on where it stopped as far as the weights are kept here.",
  remedies: ["retry", "embedded"],
};
const UNKNOWN: Words = {
  title: "Something went wrong",
  advice: "Try again; if it stays, reload the page.",
  remedies: ["retry"],
};

const BY_CODE: Readonly<Record<ErrorCode, Words>> = {
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
      "Its owner wants the terms accepted. Open its page on huggingface.co, sign in and accept them; then make a token with read access in your settings there, and enter it below.",
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
    advice: "It has no chat format, but it can go on with a text that you begin.",
    remedies: ["continue-text"],
  },
  "bad-chat-template": CHAT_REFUSED,
  "refused-messages": CHAT_REFUSED,
  "bad-session": UNKNOWN,
  "wrong-type": UNKNOWN,
  "out-of-range": UNKNOWN,
  unsupported: UNKNOWN,
};

export function explain(error: unknown): Trouble {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const code = codeOf(error);
  const words = code ? BY_CODE[code] : wordsFor(error);
  return { ...words, advice: `${wanting(error)}${words.advice}`, detail: message };
}

/** The code of an error of the engine. */
export function codeOf(error: unknown): ErrorCode | undefined {
  const { code } = Object(error) as { readonly code?: unknown };
  return typeof code === "string" && Object.hasOwn(BY_CODE, code) ? (code as ErrorCode) : undefined;
}

/** The words for an error of the browser, which has no code. */
function wordsFor(error: unknown): Words {
  if (error instanceof DOMException && error.name === "QuotaExceededError") return NO_ROOM;
  // Some of the site's own files are fetched when they are first used.
  return navigator.onLine ? UNKNOWN : DOWNLOAD_FAILED;
}

/** A StorageError knows how much room it would have taken. */
function wanting(error: unknown): string {
  const { missingBytes } = error as { missingBytes?: unknown };
  return typeof missingBytes === "number"
    ? `It needs ${bytes(missingBytes)} more than this browser gives. `
    : "";
}

/** Why nothing can run here at all, before anything is tried. */
export function missingWebGpu(): Trouble | undefined {
  if (navigator.gpu) return undefined;
  if (isSecureContext) return { ...NO_GPU, detail: "WebGPU: expected an adapter, got no navigator.gpu." };
  return {
    title: "This page needs HTTPS",
    advice: "Browsers give WebGPU to secure pages only. Open it over HTTPS, or from localhost.",
    detail: `The page came from ${location.origin}.`,
    remedies: [],
  };
}
