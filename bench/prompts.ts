// Prompts of mixed length, the same in every run of the bench. No two begin alike, so no prefix cache helps.

/** Words that are one token in most vocabularies. */
const WORDS =
  "the a big small red old dog cat bird boy girl tree house garden river sun moon rain was saw went found said liked played ran and then but with to in on under day night friend".split(
    " ",
  );

/** Prompts begin with a name of three of these. */
const SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bra cle dri flo gru ple".split(
  " ",
);

/** Returns a uniform number in [0, 1). */
export type Random = () => number;

/** xorshift32 (Marsaglia 2003). The first values are skipped: those of neighbouring seeds are alike. */
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

/** A length from half to one and a half times `mean`, uniformly. */
export const mixedLength = (mean: number, next: Random): number =>
  Math.max(1, Math.round(mean * (0.5 + next())));

/** A prompt of words. @param index each gives another first word */
export function textPrompt(index: number, words: number, next: Random): string {
  const rest = Array.from({ length: words - 1 }, () => WORDS[Math.floor(next() * WORDS.length)]);
  return [name(index), ...rest].join(" ");
}

/** A prompt of token ids. @param index each gives another first id, up to the size of the vocabulary */
export function idsPrompt(index: number, ids: number, vocabulary: number, next: Random): number[] {
  const rest = Array.from({ length: ids - 1 }, () => Math.floor(next() * vocabulary));
  return [(index * 7) % vocabulary, ...rest];
}

/** A made-up name of three syllables. */
function name(index: number): string {
  const count = SYLLABLES.length;
  // The factor is coprime to the number of names: all are used, and neighbours differ in the first syllable.
  const place = (index * 6121) % count ** 3;
  const syllables = [place, place / count, place / count ** 2].map(
    (value) => SYLLABLES[Math.floor(value) % count],
  );
  return syllables.join("").replace(/^./, (letter) => letter.toUpperCase());
}
