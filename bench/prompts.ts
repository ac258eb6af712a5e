// Prompts that a server has not seen: of mixed length, none with the start of another, the same ones in every run.

/** Words that most vocabularies have as one token. */
const WORDS =
  "the a big small red old dog cat bird boy girl tree house garden river sun moon rain was saw went found said liked played ran and then but with to in on under day night friend".split(
    " ",
  );

/** Beginnings: as many as there are syllables to the power of three. */
const SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bra cle dri flo gru ple".split(
  " ",
);

/** A number from 0 to 1, exclusive, at each call. */
export type Random = () => number;

/** xorshift32 (Marsaglia 2003), stirred so that neighbouring seeds have nothing in common. */
export function random(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  return next;
}

/** From half to one and a half of `mean`, each as likely. */
export const mixedLength = (mean: number, next: Random): number =>
  Math.max(1, Math.round(mean * (0.5 + next())));

/** @param index another one, another beginning */
export function textPrompt(index: number, words: number, next: Random): string {
  const rest = Array.from({ length: words - 1 }, () => WORDS[Math.floor(next() * WORDS.length)]);
  return [name(index), ...rest].join(" ");
}

/** @param index another one, another first id, until all have had their turn */
export function idsPrompt(index: number, ids: number, vocabulary: number, next: Random): number[] {
  const rest = Array.from({ length: ids - 1 }, () => Math.floor(next() * vocabulary));
  return [(index * 7) % vocabulary, ...rest];
}

/** A made-up name of three syllables. */
function name(index: number): string {
  const count = SYLLABLES.length;
  // Steps of a number that shares no factor with the count: neighbours differ from the first syllable on.
  const place = (index * 6121) % count ** 3;
  const syllables = [place, place / count, place / count ** 2].map(
    (value) => SYLLABLES[Math.floor(value) % count],
  );
  return syllables.join("").replace(/^./, (letter) => letter.toUpperCase());
}
