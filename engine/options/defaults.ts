// What a call takes where its options, or the protocol that it came by, are silent.

/** How tokens are picked, for every way into the library: calls, command and demo. */
export const DEFAULT_SAMPLING = { temperature: 0.7, topP: 0.95 } as const;

/** Maximum number of tokens of an answer. */
export const DEFAULT_MAX_TOKENS = 512;

/** Maximum number of threads of the device that computes on the CPU: their scratch is half of a memory. */
export const MAX_THREADS = 128;
