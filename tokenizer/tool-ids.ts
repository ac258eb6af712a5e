// Ids of calls. Mistral's templates accept 9 letters and digits only; other clients have others ("call_…").

const NINE = /^[a-zA-Z0-9]{9}$/;
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** 9 letters and digits for a text: the same ones each time. Such an id stays as it is. */
export function nineCharacterId(text: string): string {
  if (NINE.test(text)) return text;
  // Two hashes (FNV-1a) of 32 bits, of which 53 are used.
  const high = hash(text, 0x811c9dc5);
  const low = hash(text, 0x9747b28c);
  let number = (high >>> 11) * 2 ** 32 + low;
  let id = "";
  for (let i = 0; i < 9; i++) {
    id += LETTERS[number % 62];
    number = Math.floor(number / 62);
  }
  return id;
}

function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}
