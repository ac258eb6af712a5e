// tokenizer.model: a vocabulary of SentencePiece as a protocol buffer. The numbers of fields are those of its
// sentencepiece_model.proto.
import { label, mismatch, show } from "../errors.ts";
import { decodeUtf8, NotUtf8Error } from "../utf8.ts";
import type { FoundVocabulary } from "./found-vocabulary.ts";
import { fieldsOf, Message } from "./protobuf.ts";
import { sentencePieceModel } from "./sentencepiece.ts";
import { KIND, MAX_TOKEN_LENGTH, type Tokens } from "./tokens.ts";

const DAMAGED = "The file is damaged: fetch it again.";
const UNSUPPORTED = "Sirocco does not read this tokenizer: choose a repository that has tokenizer.json.";
/** Far above any vocabulary. */
const MAX_PIECES = 1 << 22;
const BPE = 2;
const MODEL = { piece: 1, trainer: 2, normalizer: 3 } as const;

interface Piece {
  readonly text: string;
  readonly score: number;
  readonly kind: number;
}

/**
 * @param file its name, for errors and for the version of Mistral's format
 * @param firstOnly whether a space comes in front of a text only, not of each section between control tokens
 * @throws CheckpointError naming the field
 */
export function readSentencePiece(bytes: Uint8Array, file: string, firstOnly: boolean): FoundVocabulary {
  const pieces: Piece[] = [];
  let [trainer, normalizer] = [new Uint8Array(), new Uint8Array()];
  for (const [field, value] of fieldsOf(bytes, file)) {
    if (typeof value === "number") continue;
    if (field === MODEL.piece) {
      if (pieces.length === MAX_PIECES)
        throw mismatch(`${file}: pieces`, `at most ${MAX_PIECES}`, "more", DAMAGED);
      pieces.push(readPiece(value, `${file}: pieces[${pieces.length}]`));
    } else if (field === MODEL.trainer) trainer = new Uint8Array(value);
    else if (field === MODEL.normalizer) normalizer = new Uint8Array(value);
  }
  const tokens: Tokens = { texts: pieces.map(({ text }) => text), kinds: pieces.map(({ kind }) => kind) };
  const unknown = checkPieces(tokens, file);
  const { bos, eos } = readTrainer(new Message(trainer, `${file}: trainer_spec`), tokens);
  const prefix = readNormalizer(new Message(normalizer, `${file}: normalizer_spec`));
  const scores = pieces.map(({ score }) => score);
  return {
    tokens,
    model: sentencePieceModel({ ...tokens, scores, prefix: prefix && firstOnly ? "first" : prefix, unknown }),
    ...{ bos, eos, unknown },
    version: /\.(v\d+)(m\d+)?$/.exec(file)?.[1],
  };
}

function readPiece(bytes: Uint8Array, where: string): Piece {
  const message = new Message(bytes, where);
  const text = textOf(message, message.bytes(1, "piece"));
  const score = message.number(2, "score") ?? 0;
  if (!Number.isFinite(score)) throw message.wrong("score", "a number", `${score}`);
  const kind = message.number(3, "type") ?? KIND.normal;
  if (!Object.values<number>(KIND).includes(kind))
    throw message.wrong("type", "a type from 1 to 6", `${kind}`);
  if (kind === KIND.byte && !/^<0x[0-9A-F]{2}>$/.test(text))
    throw message.wrong("piece", 'a byte, as "<0x0A>"', show(text));
  return { text, score, kind };
}

function textOf(message: Message, bytes: Uint8Array | undefined): string {
  const expected = `a text of 1 to ${MAX_TOKEN_LENGTH} characters`;
  if (!bytes || bytes.length === 0) throw message.wrong("piece", expected, "none");
  if (bytes.length > 4 * MAX_TOKEN_LENGTH) throw message.wrong("piece", expected, `${bytes.length} bytes`);
  try {
    const text = decodeUtf8(bytes, true);
    if (text.length <= MAX_TOKEN_LENGTH) return text;
    throw message.wrong("piece", expected, `${text.length}`);
  } catch (error) {
    if (!(error instanceof NotUtf8Error)) throw error;
    throw message.wrong("piece", "UTF-8 text", error.got);
  }
}

/** @returns the unknown token */
function checkPieces({ texts, kinds }: Tokens, file: string): string {
  const where = `${file}: pieces`;
  const ids = new Map<string, number>();
  for (const [id, text] of texts.entries()) {
    const before = ids.get(text);
    if (before !== undefined)
      throw mismatch(`${where}[${id}].piece`, "a text of its own", `that of piece ${before}`, DAMAGED);
    ids.set(text, id);
  }
  const unknown = texts.filter((_, id) => kinds[id] === KIND.unknown);
  const [first] = unknown;
  if (unknown.length !== 1 || first === undefined)
    throw mismatch(where, "one of the type unknown", `${unknown.length}`, DAMAGED);
  const bytes = kinds.filter((kind) => kind === KIND.byte).length;
  if (bytes !== 0 && bytes !== 256)
    throw mismatch(where, "a piece for each byte, or none", `${bytes}`, DAMAGED);
  return first;
}

function readTrainer(trainer: Message, { texts, kinds }: Tokens): Pick<FoundVocabulary, "bos" | "eos"> {
  const type = trainer.number(3, "model_type") ?? 1;
  if (type !== BPE) throw trainer.wrong("model_type", "BPE (2)", label(`${type}`), UNSUPPORTED);
  if (trainer.flag(24, "treat_whitespace_as_suffix", false))
    throw trainer.wrong("treat_whitespace_as_suffix", "false", "true", UNSUPPORTED);
  const token = (field: number, name: string, fallback: number): string | undefined => {
    const id = trainer.number(field, name) ?? fallback;
    return kinds[id] === KIND.control ? texts[id] : undefined;
  };
  return { bos: token(41, "bos_id", 1), eos: token(42, "eos_id", 2) };
}

/** @returns whether a text gets a space in front @throws CheckpointError for what would change ids */
function readNormalizer(normalizer: Message): boolean {
  const charsMap = normalizer.bytes(2, "precompiled_charsmap") ?? new Uint8Array();
  if (charsMap.length > 0)
    throw normalizer.wrong("precompiled_charsmap", "none", `${charsMap.length} bytes`, UNSUPPORTED);
  if (normalizer.flag(4, "remove_extra_whitespaces", true))
    throw normalizer.wrong("remove_extra_whitespaces", "false", "true", UNSUPPORTED);
  if (!normalizer.flag(5, "escape_whitespaces", true))
    throw normalizer.wrong("escape_whitespaces", "true", "false", UNSUPPORTED);
  return normalizer.flag(3, "add_dummy_prefix", true);
}
