// LoRA adapters that clients upload, as Workers AI's finetunes: a folder each in that of --adapter-dir, and
// on the model once both files are there. A folder is named by an id that is made here: nothing of a request
// is part of a path.
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { refuseOthers } from "../engine/apis/quiet-fields.ts";
import { CheckpointError, DeviceError, type Model } from "../engine/node.ts";
import { isParameterError, outOfRange, shown } from "../engine/options/parameter.ts";
import { adapterFiles } from "../weights/adapters/names.ts";
import { isObject } from "../weights/json.ts";
import { folderSource } from "../weights/node.ts";
import { HttpError } from "./errors.ts";
import { type Part, textOf } from "./multipart.ts";

/** Under Cloudflare's names. */
export interface Finetune {
  /** A UUID. */
  readonly id: string;
  readonly name: string;
  /** The model that it was made for, as its maker called it. */
  readonly model: string;
  readonly description: string;
  /** As in 2026-11-29T10:00:00.000Z. */
  readonly created_at: string;
  /** When its last file came. */
  readonly modified_at: string;
  readonly public: boolean;
}

export interface FinetuneLimits {
  /** Finetunes that are kept. */
  readonly count: number;
  /** Bytes of a file of an adapter. */
  readonly fileBytes: number;
}

/** Cloudflare's. */
const LIMITS: FinetuneLimits = { count: 100, fileBytes: 500 * 2 ** 20 };

const DESCRIPTION_FILE = "finetune.json";
const PART = ".part";
const ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const NAME = /^[\w@][\w@./:-]{0,99}$/;
/** As the names of models at Cloudflare. */
const OF_MODELS = /^@(cf|hf)\//i;
const MAX_DESCRIPTION = 1000;
/** Of the body that makes one. */
const FIELDS = new Set(["name", "model", "description"]);

interface Kept {
  finetune: Finetune;
  loaded: boolean;
  /** Why the start could not load it. Its files stay, and no upload changes them. */
  unusable?: string;
  /** Uploads of it take turns. */
  turn: Promise<unknown>;
}

type AdapterModel = Pick<Model, "adapters" | "addAdapter">;

export class Finetunes {
  readonly limits: FinetuneLimits;
  readonly #model: AdapterModel;
  readonly #folder: string;
  readonly #reserved: readonly string[];
  readonly #kept = new Map<string, Kept>();

  private constructor(
    model: AdapterModel,
    folder: string,
    reserved: readonly string[],
    limits: FinetuneLimits,
  ) {
    this.limits = limits;
    this.#model = model;
    this.#folder = folder;
    this.#reserved = reserved;
  }

  /**
   * Loads the adapters that the folder has.
   * @param reserved names of the model itself, which no finetune may have
   * @param note called for one that cannot be used. Its files stay.
   */
  static async open(
    model: AdapterModel,
    folder: string,
    reserved: readonly string[],
    note: (text: string) => void,
    limits: Partial<FinetuneLimits> = {},
  ): Promise<Finetunes> {
    const finetunes = new Finetunes(model, folder, reserved, { ...LIMITS, ...limits });
    const found: Finetune[] = [];
    for (const id of (await readdir(folder)).filter((name) => ID.test(name))) {
      const finetune = await described(join(folder, id), id);
      if (finetune) found.push(finetune);
      else note(`${join(folder, id)}: expected ${DESCRIPTION_FILE} of an adapter, got none that can be read`);
    }
    for (const finetune of found.sort((a, b) => (a.created_at < b.created_at ? -1 : 1)))
      await finetunes.#reopen(finetune, note);
    return finetunes;
  }

  /** In the order in which they were made. */
  get list(): readonly Finetune[] {
    return [...this.#kept.values()].map(({ finetune }) => finetune);
  }

  /**
   * The name of the adapter of a finetune; undefined if there is no such finetune.
   * @throws HttpError 400 if its files are missing, or the start could not load it
   */
  adapter(nameOrId: string): string | undefined {
    const kept = this.#find(nameOrId);
    if (kept?.unusable !== undefined)
      throw wrong(
        "lora",
        `expected a finetune that this server can use, got ${shown(nameOrId)}. ${kept.unusable}`,
      );
    if (kept && !kept.loaded)
      throw new HttpError(
        400,
        `lora: expected a finetune with ${adapterFiles.join(" and ")}, got ${shown(nameOrId)}, which lacks them. Upload both.`,
        { code: "finetune_incomplete", param: "lora" },
      );
    return kept?.finetune.name;
  }

  /** @throws HttpError 400; TypeError with `parameter` for other fields */
  async create(given: Readonly<Record<string, unknown>>): Promise<Finetune> {
    refuseOthers(given, FIELDS);
    const { name, model } = given;
    const description = given["description"] ?? "";
    if (typeof name !== "string" || !NAME.test(name))
      throw wrong(
        "name",
        `expected 1 to 100 of letters, digits and . _ - / : @, the first no mark but _ or @, got ${shown(name)}.`,
      );
    if (OF_MODELS.test(name)) throw wrong("name", notOfModel(name));
    if (typeof model !== "string") throw wrong("model", `expected a text, got ${shown(model)}.`);
    if (typeof description !== "string" || description.length > MAX_DESCRIPTION)
      throw wrong(
        "description",
        `expected a text of at most ${MAX_DESCRIPTION} characters, got ${shown(description)}.`,
      );
    if (this.#isTaken(name))
      throw wrong("name", `expected one that is free, got ${shown(name)}. Choose another.`);
    if (this.#kept.size >= this.limits.count)
      throw wrong("name", `expected at most ${this.limits.count} finetunes, got one more.`);
    const now = new Date().toISOString();
    const finetune = {
      ...{ id: randomUUID(), name, model, description },
      ...{ created_at: now, modified_at: now, public: false },
    };
    // Now, so that no other request takes the name meanwhile.
    this.#keep(finetune);
    const folder = this.#folderOf(finetune);
    try {
      await mkdir(folder, { mode: 0o700 });
      await this.#describe(finetune);
    } catch (error) {
      this.#kept.delete(finetune.id);
      await rm(folder, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
    return finetune;
  }

  /**
   * Stores a file of a form with the fields `file_name` and `file`. The second file of a finetune loads it.
   * @throws HttpError 404 without such a finetune; 400 for another form, and for an adapter that cannot be
   * loaded: both files are removed
   */
  async upload(nameOrId: string, form: AsyncIterable<Part>): Promise<Finetune> {
    const kept = this.#find(nameOrId);
    if (!kept)
      throw new HttpError(404, `finetune: expected a name or an id, got ${shown(nameOrId)}. List them.`, {
        code: "finetune_not_found",
      });
    const stored = kept.turn.then(() => this.#store(kept, form));
    kept.turn = stored.catch(() => {});
    await stored;
    return kept.finetune;
  }

  async #store(kept: Kept, form: AsyncIterable<Part>): Promise<void> {
    const { finetune } = kept;
    if (kept.loaded)
      throw wrong(
        "file",
        `expected none, as ${shown(finetune.name)} has both files. Create another finetune.`,
      );
    if (kept.unusable !== undefined)
      throw wrong(
        "file",
        `expected none, as this server cannot use ${shown(finetune.name)}, and its files stay. Create another finetune. ${kept.unusable}`,
      );
    const folder = this.#folderOf(finetune);
    const part = join(folder, randomUUID() + PART);
    let file: string;
    try {
      file = await this.#receive(form, part);
      await rename(part, join(folder, file));
      kept.finetune = { ...finetune, modified_at: new Date().toISOString() };
      await this.#describe(kept.finetune);
    } finally {
      await rm(part, { force: true });
    }
    if (await isWhole(folder)) await this.#load(kept, file);
  }

  async #describe(finetune: Finetune): Promise<void> {
    const file = join(this.#folderOf(finetune), DESCRIPTION_FILE);
    await writeFile(file + PART, JSON.stringify(finetune), { mode: 0o600 });
    await rename(file + PART, file);
  }

  /** Writes `file` to a path. @returns the name that it has */
  async #receive(form: AsyncIterable<Part>, path: string): Promise<string> {
    const seen = new Set<string>();
    let fileName = "";
    for await (const { name, bytes } of form) {
      if (seen.has(name)) throw wrong(name, "expected it once, got it twice.");
      seen.add(name);
      if (name === "file_name") fileName = await textOf(bytes, 100, name);
      else if (name === "file") await writeFile(path, bytes, { mode: 0o600 });
      else throw wrong(name.slice(0, 60) || "form", "expected the fields file_name and file, got another.");
    }
    if (!seen.has("file")) throw wrong("file", "expected a file, got none.");
    const known = adapterFiles.find((each) => each === fileName);
    if (known !== undefined) return known;
    throw wrong("file_name", `expected ${adapterFiles.join(" or ")}, got ${shown(fileName)}.`);
  }

  /**
   * Loads an adapter, or removes its files.
   * @param last the file that came last: the only one that is removed if the adapter is not at fault
   */
  async #load(kept: Kept, last: string): Promise<void> {
    try {
      await this.#add(kept);
    } catch (error) {
      const folder = this.#folderOf(kept.finetune);
      const removed = isRefusal(error) ? adapterFiles : [last];
      await Promise.all(removed.map((file) => rm(join(folder, file), { force: true })));
      if (!isRefusal(error)) throw error;
      const message = `${error.message} Both files were removed: upload both again.`;
      throw new HttpError(400, message, { code: "bad_adapter", param: "file", cause: error });
    }
  }

  async #add(kept: Kept): Promise<void> {
    const { name } = kept.finetune;
    // Messages have the name in place of the path.
    await this.#model.addAdapter(name, folderSource(this.#folderOf(kept.finetune), name));
    kept.loaded = true;
  }

  async #reopen(finetune: Finetune, note: (text: string) => void): Promise<void> {
    const isTaken = this.#isTaken(finetune.name);
    const kept = this.#keep(finetune);
    const folder = this.#folderOf(finetune);
    for (const file of await readdir(folder))
      if (file.endsWith(PART)) await rm(join(folder, file), { force: true });
    try {
      if (OF_MODELS.test(finetune.name)) throw outOfRange("name", notOfModel(finetune.name));
      if (isTaken)
        throw outOfRange(
          "name",
          `expected one that neither the model nor another adapter has, got ${shown(finetune.name)}.`,
        );
      if (await isWhole(folder)) await this.#add(kept);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      kept.unusable = error.message;
      note(`${folder}: ${error.message}`);
    }
  }

  #keep(finetune: Finetune): Kept {
    const kept: Kept = { finetune, loaded: false, turn: Promise.resolve() };
    this.#kept.set(finetune.id, kept);
    return kept;
  }

  #isTaken(name: string): boolean {
    return (
      this.#find(name) !== undefined || this.#model.adapters.includes(name) || this.#reserved.includes(name)
    );
  }

  #find(nameOrId: string): Kept | undefined {
    return (
      this.#kept.get(nameOrId) ?? [...this.#kept.values()].find(({ finetune }) => finetune.name === nameOrId)
    );
  }

  #folderOf({ id }: Finetune): string {
    return join(this.#folder, id);
  }
}

/** What a folder says of itself; undefined if it does not. */
async function described(folder: string, id: string): Promise<Finetune | undefined> {
  const text = await readFile(join(folder, DESCRIPTION_FILE), "utf8").catch(() => "null");
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || value["id"] !== id) return undefined;
    const { name, model, description, created_at, modified_at } = value;
    const texts = { name, model, description, created_at, modified_at };
    if (!Object.values(texts).every((each) => typeof each === "string")) return undefined;
    if (!NAME.test(String(name))) return undefined;
    return { id, ...(texts as Record<keyof typeof texts, string>), public: false };
  } catch {
    return undefined;
  }
}

async function isWhole(folder: string): Promise<boolean> {
  const found = adapterFiles.map((file) =>
    stat(join(folder, file)).then(
      (stats) => stats.isFile(),
      () => false,
    ),
  );
  return (await Promise.all(found)).every(Boolean);
}

/** Whether the adapter, or how many there are, is at fault. */
const isRefusal = (error: unknown): error is Error =>
  error instanceof CheckpointError ||
  isParameterError(error) ||
  (error instanceof DeviceError && error.code === "adapter-limit");

const notOfModel = (name: string): string =>
  `expected one that does not begin with @cf/ or @hf/, as names of models do, got ${shown(name)}.`;

const wrong = (field: string, message: string): HttpError =>
  new HttpError(400, `${field}: ${message}`, { code: "invalid_value", param: field });
