// Chat templates for Mistral's tokenizers by the version of their format. Repositories with Mistral's own
// tokenizer files often have no template: mistral-common builds the prompts.

const START = "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}";
const REFUSE = "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}";
const ANSWER = "{% elif message.role == 'assistant' %}{{ message.content + eos_token }}";
const SYSTEM =
  "{% elif message.role == 'system' %}{{ '[SYSTEM_PROMPT]' + message.content + '[/SYSTEM_PROMPT]' }}";
const ALTERNATE =
  "{% for message in messages %}{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}" +
  "{{ raise_exception('Roles must alternate user/assistant/user/assistant.') }}{% endif %}{% endfor %}";
/** Takes the system message off, for one of the user's turns. */
const TAKE_SYSTEM =
  "{% set system = '' %}{% if messages[0].role == 'system' %}{% set system = messages[0].content + '\\n\\n' %}" +
  "{% set messages = messages[1:] %}{% endif %}";
const END = "{% endfor %}";

/** With control tokens, a turn has no spaces: SentencePiece puts one in front of each section. */
const TURN = "{{ '[INST]' + message.content + '[/INST]' }}";
const LAST_TURN = "{{ '[INST]' + (system if loop.last else '') + message.content + '[/INST]' }}";
/** The first format spells its tags, in one text with the content. */
const SPELLED = "{{ '[INST] ' + (system if loop.first else '') + message.content + ' [/INST]' }}";

const v1 =
  TAKE_SYSTEM +
  ALTERNATE +
  START +
  SPELLED +
  ANSWER.replace("message.content", "' ' + message.content") +
  REFUSE +
  END;
const v2 = TAKE_SYSTEM + ALTERNATE + START + LAST_TURN + ANSWER + REFUSE + END;
const v7 = START + TURN + ANSWER + SYSTEM + REFUSE + END;

/** By version. Tools, which differ more, are not rendered. */
const TEMPLATES: ReadonlyMap<string, string> = new Map([
  ["v1", v1],
  ["v2", v2],
  ["v3", v2],
  ["v7", v7],
  ["v11", v7],
  ["v13", v7],
]);

/**
 * @param version "v3"
 * @param file that names it
 * @returns the template, which says in its first comment that it is used; undefined for other versions
 */
export function mistralChat(version: unknown, file: string): string | undefined {
  const template = typeof version === "string" ? TEMPLATES.get(version) : undefined;
  const notice = `chat: the checkpoint has no chat template, so Mistral's format ${version} is used, as ${file} names it.`;
  return template === undefined ? undefined : `{#- notice: ${notice} #}${template}`;
}
