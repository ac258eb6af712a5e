// Errors about files of an evaluation.

/** A file of questions or results cannot be used; the message names file and line. */
export class EvaluationFileError extends Error {
  override name = "EvaluationFileError";
}
