// Recognises a file of another kind by its first bytes.

interface Foreign {
  readonly got: string;
  readonly advice: string;
}

/** Tried in this order. Eight bytes must be enough: the first read of a weight file has no more. */
const KINDS: readonly (Foreign & { readonly begins: RegExp })[] = [
  {
    begins: /^version (https:\/\/git-lfs|$)/,
    got: "a Git LFS pointer",
    advice: 'Run "git lfs pull" in the cloned folder, or download the file itself.',
  },
  {
    begins: /^\s*<(!doctyp|html|head|body|\?xml)/i,
    got: "an HTML or XML page",
    advice: "The server answered with a page: check the address.",
  },
  { begins: /^GGUF/, got: "a GGUF file", advice: "Name it with the ending .gguf, and load it by its name." },
  {
    begins: /^PK\x03\x04/,
    got: "a ZIP archive, as PyTorch's .bin and .pt files are",
    advice: "Convert the weights to safetensors, or choose a repository that has them.",
  },
  { begins: /^\x1f\x8b/, got: "a gzip archive", advice: "Unpack it." },
];

/** What a file is, if it is a known file of another kind. @param bytes the beginning of the file */
export function foreignFile(bytes: Uint8Array): Foreign | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, 64));
  return KINDS.find(({ begins }) => begins.test(text));
}
