// The files beside tokenizer.json: tokenizer_config.json, special_tokens_map.json and chat_template.jinja.
import { isFields, refuse } from "./tokenizer-file.ts";

export interface Companions {
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
  /** Whether to add the token to each text. undefined: tokenizer.json decides. */
  readonly addBos: boolean | undefined;
  readonly addEos: boolean | undefined;
  /** undefined for an empty template, too. */
  readonly chatTemplate: string | undefined;
  /** Names of templates that are not for plain chat, such as "tool_use". */
  readonly otherTemplates: readonly string[];
}

/** Checks the files. If both name a token, tokenizer_config.json wins. @throws TokenizerError */
export function readCompanions(config: unknown, specialTokensMap: unknown, jinja: unknown): Companions {
  const settings = config ?? {};
  if (!isFields(settings)) refuse("tokenizer_config.json", "an object", settings);
  const map = specialTokensMap ?? {};
  if (!isFields(map)) refuse("special_tokens_map.json", "an object", map);
  if (jinja !== undefined && typeof jinja !== "string") refuse("chat_template.jinja", "a text", jinja);

  const token = (name: string): string | undefined =>
    readToken(`tokenizer_config.json ${name}`, settings[name]) ??
    readToken(`special_tokens_map.json ${name}`, map[name]);
  const adds = (name: string): boolean | undefined => {
    const flag = settings[name] ?? undefined;
    if (flag === undefined || typeof flag === "boolean") return flag;
    return refuse(`tokenizer_config.json ${name}`, "true or false", flag);
  };
  const { chat_template: template } = settings;
  const templates = readTemplates(template);
  return {
    bosToken: token("bos_token"),
    eosToken: token("eos_token"),
    addBos: adds("add_bos_token"),
    addEos: adds("add_eos_token"),
    // Newer repositories keep the template in chat_template.jinja, which overrides the one in the config.
    chatTemplate: [jinja, templates.get("default")].find((text) => text !== undefined && text.trim() !== ""),
    otherTemplates: [...templates.keys()].filter((name) => name !== "default"),
  };
}

/** A token is given as its text, or as an object with the text in `content`. */
function readToken(where: string, value: unknown): string | undefined {
  const { content: text } = isFields(value) ? value : { content: value };
  if (text === undefined || text === null) return undefined;
  if (typeof text !== "string") refuse(where, "a token", text);
  return text;
}

/**
 * Templates by name. The file has one text, a list of {name, template}, or an object. The template "default"
 * is for plain chat.
 */
function readTemplates(value: unknown): ReadonlyMap<string, string> {
  if (value === undefined || value === null) return new Map();
  if (typeof value === "string") return new Map([["default", value]]);
  const where = "tokenizer_config.json chat_template";
  const list = isFields(value)
    ? Object.entries(value).map(([name, template]) => ({ name, template }))
    : value;
  if (!Array.isArray(list)) refuse(where, "a text or a list of named templates", value);
  return new Map(
    list.map((entry: unknown, i) => {
      const { name, template } = isFields(entry) ? entry : {};
      if (typeof name !== "string" || typeof template !== "string")
        refuse(`${where}[${i}]`, "a name and a template", entry);
      return [name, template];
    }),
  );
}
