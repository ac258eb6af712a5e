// Chat templates for Mistral's tokenizers by the version of their format. Repositories with Mistral's own
// tokenizer files often have no template: mistral-common builds the prompts.

const LOOP = "{% for message in messages %}";
const USER = "{% if message.role == 'user' %}";
const REFUSE =
  "{% else %}{{ raise_exception('Only user, assistant and tool roles are supported!') }}{% endif %}{% endfor %}";
const SYSTEM =
  "{% elif message.role == 'system' %}{{ '[SYSTEM_PROMPT]' + message.content + '[/SYSTEM_PROMPT]' }}";
/** Takes the system message off, for one of the user's turns. */
const TAKE_SYSTEM =
  "{% set system = '' %}{% if messages[0].role == 'system' %}{% set system = messages[0].content + '\\n\\n' %}" +
  "{% set messages = messages[1:] %}{% endif %}";
const ALTERNATE =
  `${LOOP}{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}` +
  "{{ raise_exception('Roles must alternate user/assistant/user/assistant.') }}{% endif %}{% endfor %}";
/** With tools, several messages of an assistant and of tools may follow a user's. */
const ORDER =
  `${LOOP}{% if loop.first and message.role != 'user' or ` +
  "not loop.first and message.role != 'tool' and message.role == loop.previtem.role %}" +
  "{{ raise_exception('Roles must alternate, and a user begins.') }}{% endif %}{% endfor %}";

/** The first format spells its tags, in one text with the content. */
const SPELLED = "{{ '[INST] ' + (system if loop.first else '') + message.content + ' [/INST]' }}";
const v1 =
  `${TAKE_SYSTEM}${ALTERNATE}{{ bos_token }}${LOOP}${USER}${SPELLED}` +
  "{% elif message.role == 'assistant' %}{{ ' ' + message.content + eos_token }}" +
  REFUSE.replace(" and tool", "");

/** With control tokens, a turn has no spaces: SentencePiece puts one in front of each section. */
const TURN = "{{ '[INST]' + message.content + '[/INST]' }}";
const LAST_TURN = "{{ '[INST]' + (system if ns.turn == ns.last else '') + message.content + '[/INST]' }}";
/** Counts the user's turns: tools are shown with one of them. */
const COUNT =
  "{% set ns = namespace(turn=0, last=messages | selectattr('role', 'equalto', 'user') | list | length) %}";
const toolsWith = (turn: string): string =>
  `{% set ns.turn = ns.turn + 1 %}{% if tools and ns.turn == ${turn} %}` +
  "{{ '[AVAILABLE_TOOLS]' + (tools | tojson) + '[/AVAILABLE_TOOLS]' }}{% endif %}";

/** Arguments that a model wrote stay as it wrote them. */
const ARGUMENTS =
  "{% set arguments = call.function.arguments %}" +
  "{% if arguments is not string %}{% set arguments = arguments | tojson %}{% endif %}";
const CALLS = "{% for call in message.tool_calls or [] %}";
const ID = `, "id": "' + call.id + '"`;
/** All calls in one list. */
const listed = (id: string): string =>
  `{% if message.tool_calls %}{{ '[TOOL_CALLS][' }}${CALLS}${ARGUMENTS}` +
  `{{ '{"name": "' + call.function.name + '", "arguments": ' + arguments + '${id}}' }}` +
  "{{ ', ' if not loop.last else ']' }}{% endfor %}{% endif %}";
/** Each call on its own. */
const each = (id: string): string =>
  `${CALLS}${ARGUMENTS}{{ '[TOOL_CALLS]' + call.function.name + ${id}'[ARGS]' + arguments }}{% endfor %}`;
const answer = (calls: string): string =>
  `{% elif message.role == 'assistant' %}{{ message.content }}${calls}{{ eos_token }}`;
const result = (content: string): string =>
  `{% elif message.role == 'tool' %}{{ '[TOOL_RESULTS]' + ${content} + '[/TOOL_RESULTS]' }}`;
/** Numbers have no quotes. */
const NUMBERS =
  "{% set content = message.content %}" +
  "{% if content | int | string == content %}{% set content = content | int %}" +
  "{% elif content | float | string == content %}{% set content = content | float %}{% endif %}";

/** Calls and results before the last turn of the user are left out. */
const v2 =
  `${TAKE_SYSTEM}${ORDER}${COUNT}{{ bos_token }}${LOOP}${USER}${toolsWith("ns.last")}${LAST_TURN}` +
  "{% elif ns.turn < ns.last and (message.role == 'tool' or message.tool_calls) %}" +
  answer(listed("")) +
  result(`'[' + ({'name': message.name, 'content': content} | tojson) + ']'`).replace("{{", `${NUMBERS}{{`) +
  REFUSE;
const v3 =
  `${TAKE_SYSTEM}${ORDER}${COUNT}{{ bos_token }}${LOOP}${USER}${toolsWith("ns.last")}${LAST_TURN}` +
  answer(listed(ID)) +
  result("({'content': content, 'call_id': message.tool_call_id} | tojson)").replace("{{", `${NUMBERS}{{`) +
  REFUSE;
const later = (turn: string, calls: string, content: string): string =>
  `${COUNT}{{ bos_token }}${LOOP}${USER}${toolsWith(turn)}${TURN}${answer(calls)}${SYSTEM}${result(content)}${REFUSE}`;
const WITH_ID = "message.tool_call_id + '[TOOL_CONTENT]' + message.content";

/** By version. */
const TEMPLATES: ReadonlyMap<string, string> = new Map([
  ["v1", v1],
  ["v2", v2],
  ["v3", v3],
  ["v7", later("ns.last", listed(ID), WITH_ID)],
  ["v11", later("ns.last", each("'[CALL_ID]' + call.id + "), WITH_ID)],
  ["v13", later("1", each(""), "message.content")],
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
