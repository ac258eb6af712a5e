// Tools and their calls in OpenAI's chat completions.

/** A call of a function. */
export interface ChatCompletionMessageToolCall {
  /** Names the call in the message with its result. */
  id: string;
  /** The only kind. */
  type: "function";
  /** What is called. */
  function: {
    /** Name of the function. */
    name: string;
    /** The arguments: the text of a JSON object. */
    arguments: string;
  };
}

/** A piece of a call. The first one has the id and the name, and empty arguments. */
export interface ChatCompletionToolCallDelta {
  /** Which call of the answer, from 0. */
  index: number;
  /** On the first piece. */
  id?: string;
  /** On the first piece. */
  type?: "function";
  /** The function. */
  function: {
    /** On the first piece. */
    name?: string;
    /** What was added to the arguments. */
    arguments: string;
  };
}

/** A function that a model may ask for. */
export interface ChatCompletionTool {
  /** The only kind. */
  readonly type: "function";
  /** The function. */
  readonly function: {
    /** 1 … 64 letters, digits, `_` or `-`. */
    readonly name: string;
    /** What it does, for the model. */
    readonly description?: string;
    /** A JSON Schema of its arguments, which are held to it. Default: no arguments. */
    readonly parameters?: Readonly<Record<string, unknown>>;
    /** Without effect: arguments are held to their schema in any case. */
    readonly strict?: boolean | null;
  };
}
