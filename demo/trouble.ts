// What went wrong, in words for whoever sits before the page, and what they can do about it.
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

/** The first that matches. Errors of the engine are told by name: across a worker the class may be another. */
const KNOWN: readonly {
  readonly name: RegExp;
  readonly message?: RegExp;
  /** Of a CheckpointError. */
  readonly codes?: readonly string[];
  readonly words: Words;
}[] = [
  {
    name: /^DeviceError$/,
    message: /expected an adapter/,
    words: {
      title: "This browser offers no GPU",
      advice:
        "Sirocco computes with WebGPU. Use a recent Chrome, Edge, Safari or Firefox, switch on hardware acceleration in its settings, and update the graphics driver.",
      remedies: ["retry"],
    },
  },
  {
    name: /^DeviceError$/,
    message: /out of memory/,
    words: {
      title: "The GPU is out of memory",
      advice: "Close other tabs and programs that use the GPU, or load the model in a smaller weight format.",
      remedies: ["preflight", "embedded"],
    },
  },
  {
    name: /^DeviceLostError$/,
    words: {
      title: "The GPU went away",
      advice:
        "A driver reset or a sleeping computer takes the model with it. Your conversations are safe: load it again.",
      remedies: ["retry", "embedded"],
    },
  },
  {
    name: /^DeviceError$/,
    words: {
      title: "This GPU cannot run the model so",
      advice: "Choose a smaller weight format or a smaller model.",
      remedies: ["preflight", "embedded"],
    },
  },
  {
    name: /^ModelInUseError$/,
    words: {
      title: "Another tab has this model",
      advice: "Two copies would take the memory twice. Take it over, and the other tab lets go of it.",
      remedies: ["take-over", "embedded"],
    },
  },
  {
    name: /^(StorageError|QuotaExceededError)$/,
    words: {
      title: "There is no room to keep this model",
      advice: "Delete a model that you no longer need, or load this one without keeping it for next time.",
      remedies: ["models", "keep-nothing", "embedded"],
    },
  },
  {
    name: /^CheckpointError$/,
    codes: ["forbidden"],
    words: {
      title: "This model needs your permission to download",
      advice:
        "Its owner wants the terms accepted. Open its page on huggingface.co, sign in and accept them; then make a token with read access in your settings there, and enter it below.",
      remedies: ["retry"],
    },
  },
  {
    name: /^CheckpointError$/,
    codes: ["not-found", "html"],
    words: {
      title: "There is no model at that place",
      advice: "Check the name. A folder or an address must hold config.json and .safetensors files.",
      remedies: ["retry"],
    },
  },
  {
    name: /^CheckpointError$/,
    words: {
      title: "These files are no model that runs here",
      advice: "Sirocco runs models of the Mistral and Llama families, as safetensors.",
      remedies: ["retry", "embedded"],
    },
  },
  {
    name: /^ContextLengthError$/,
    words: {
      title: "The conversation is too long for the model",
      advice: "Start a new one, or shorten your message.",
      remedies: ["new-conversation"],
    },
  },
  {
    name: /^ChatTemplateError$/,
    message: /without \(a base model\)/,
    words: {
      title: "This model was not made for chats",
      advice: "It has no chat format, but it can go on with a text that you begin.",
      remedies: ["continue-text"],
    },
  },
  {
    name: /^ChatTemplateError$/,
    words: {
      title: "The model's chat format refuses this conversation",
      advice: "Some models take no system prompt, or want question and answer to alternate.",
      remedies: ["without-system", "new-conversation"],
    },
  },
  {
    name: /./,
    message: /Check the connection|fetch|network|tried \d+ times/i,
    words: {
      title: "The download broke off",
      advice: "Check the connection. Loading goes on where it stopped as far as the weights are kept here.",
      remedies: ["retry", "embedded"],
    },
  },
];

export function explain(error: unknown): Trouble {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const { code } = Object(error) as { readonly code?: unknown };
  const known = KNOWN.find(
    (each) =>
      each.name.test(name) &&
      (each.message?.test(message) ?? true) &&
      (each.codes?.includes(String(code)) ?? true),
  );
  const words = known?.words ?? {
    title: "Something went wrong",
    advice: "Try again; if it stays, reload the page.",
    remedies: ["retry"] as const,
  };
  const token = code === "forbidden" && { wantsToken: true };
  return { ...words, ...token, advice: `${wanting(error)}${words.advice}`, detail: message };
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
  if (isSecureContext)
    return explain(named("DeviceError", "WebGPU: expected an adapter, got no navigator.gpu."));
  return {
    title: "This page needs HTTPS",
    advice: "Browsers give WebGPU to secure pages only. Open it over HTTPS, or from localhost.",
    detail: `The page came from ${location.origin}.`,
    remedies: [],
  };
}

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
