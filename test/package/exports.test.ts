// All names that the package exports: one that is added or removed must be changed here and in CHANGELOG.md.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./install.ts";

type Kind = "value" | "type";

/** Names that a module exports, including those that it re-exports. */
function exportsOf(file: string): Map<string, Kind> {
  const text = readFileSync(join(root, file), "utf8");
  const found = new Map<string, Kind>();
  const from = (name: string) => exportsOf(join(dirname(file), name));
  for (const [, kind, name = ""] of text.matchAll(
    /^export (?:async )?(const|function|class|interface|type) (\w+)/gm,
  ))
    found.set(name, kind === "interface" || kind === "type" ? "type" : "value");
  for (const [, type, name = ""] of text.matchAll(/^export (type )?\* from "(\.[^"]+)"/gm))
    for (const [each, kind] of from(name)) found.set(each, type ? "type" : kind);
  for (const [, type, names = ""] of text.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
    for (const each of names.split(",").map((text) => text.trim())) {
      if (each) found.set(each.split(/\s+/).at(-1)!, type || each.startsWith("type ") ? "type" : "value");
    }
  }
  return found;
}

/** Words of a text. */
const names = (text: string): string[] => text.trim().split(/\s+/);

const COMMON = {
  value: names(`
    ChatTemplateError CheckpointError ContextLengthError DeviceError DeviceLostError ExtractionError
    ModelInUseError NetworkError SessionError StorageError TokenizerError deleteStoredModel
    deleteStoredModels fileSource httpSource hubSource listStoredModels loadModel loadModelInWorker persistStorage planModel tuneModel
  `),
  type: names(`
    Activity AdapterChoice AdapterDescription AdapterSource AddAdapterOptions Answer AnswerFormat AnswerOptions AttentionOptions AttentionVariant
    AttentionWeights CacheFormatName CallOptions Candidate CandidatesOptions ChatCompletion
    ChatCompletionChunk ChatCompletionCreateParams ChatCompletionLogprobs ChatCompletionMessageParam
    ChatCompletionMessageToolCall ChatCompletionOptions ChatCompletionResponseFormat
    ChatCompletionTextPart ChatCompletionTokenLogprob ChatCompletionTokenTopLogprob ChatCompletionTool
    ChatCompletionToolCallDelta ChatCompletions ChatOptions ChatTemplateErrorCode CheckpointErrorCode
    CheckpointErrorOptions Chunk Classification ClassifyOptions CompletionUsage DeviceErrorCode
    DeviceLostErrorCode EncodeChatOptions EncodeTextOptions ErrorCode Extraction ExtractionErrorCode Finish GenerateOptions
    HttpOptions HttpSourceOptions HubSourceOptions JsonSchema KernelChoice KernelOptions KernelTime
    LikelyToken LoadOptions MatmulVariant MatrixRole MatvecVariant Message Model ModelConfig
    ModelInUseErrorCode ModerateOptions Moderation ModerationCategory NamedBlob NetworkErrorCode
    OpenAIShape ParameterError ParameterErrorCode Pass PassOptions Plan Progress PromptProgress RopeScaling SamplingOptions
    SaveSessionOptions ScaledAdapter SchemaResult Score ScoreOptions Source StandardSchema StorageErrorCode StoredModel TokenLogProb
    TokenizerErrorCode TokenizerInfo Tool ToolCall ToolCallDelta ToolChoice Tuning TuningMeasurement Usage WeightFormatName
    WorkerLoadOptions
  `),
};

test.each([
  ["engine/index.ts", COMMON.value, COMMON.type],
  [
    "engine/node.ts",
    [...COMMON.value, "describeModel", "folderSource", "listAdapters", "mergeModel", "quantizeModel"],
    [
      ...COMMON.type,
      ...names(
        "DescribedFile HubEnvironment HubProgress Merged MergeOptions ModelDescription Quantized QuantizeOptions",
      ),
    ],
  ],
  ["engine/ai-sdk.ts", ["createSirocco", "sirocco"], ["SiroccoSettings"]],
  [
    "engine/workers-ai.ts",
    ["Ai", "AiError"],
    names(`
      AiBinding AiEnvelope AiFunction AiJsonInput AiJsonOutput AiMessages AiModel AiPrompt
      AiResponseFormat AiRunOptions AiServer AiTextGenerationInput AiTextGenerationMessage
      AiTextGenerationOptions AiTextGenerationOutput AiTextGenerationUsage AiToolCall
    `),
  ],
  [
    "engine/prompt-api.ts",
    ["createLanguageModel"],
    names(`
      LanguageModelAvailability LanguageModelBackend LanguageModelCallOptions LanguageModelConstructor
      LanguageModelContentPart LanguageModelCreateCoreOptions LanguageModelCreateOptions LanguageModelExpected
      LanguageModelMessage LanguageModelMonitor LanguageModelParams LanguageModelProgressEvent
      LanguageModelPrompt LanguageModelPromptOptions LanguageModelSamplingMode LanguageModelSession LanguageModelTarget
      LanguageModelTool
    `),
  ],
])("%s", async (file, values, types) => {
  const found = [...exportsOf(file)];
  const sorted = (kind: Kind) =>
    found
      .filter(([, each]) => each === kind)
      .map(([name]) => name)
      .sort();
  expect(sorted("value")).toEqual([...values].sort());
  expect(Object.keys(await import(/* @vite-ignore */ join(root, file))).sort()).toEqual([...values].sort());
  expect(sorted("type")).toEqual([...types].sort());
});
