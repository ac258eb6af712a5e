// Errors of requests, before they take the shape of an API.
import {
  ChatTemplateError,
  CheckpointError,
  ContextLengthError,
  DeviceError,
  DeviceLostError,
  type ErrorCode,
  TokenizerError,
} from "../engine/node.ts";
import {
  isParameterError,
  type ParameterError,
  type ParameterErrorCode,
} from "../engine/options/parameter.ts";

/** OpenAI's types of errors. */
export type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "rate_limit_error"
  | "not_implemented_error"
  | "server_error";

export type ErrorStatus = ClientErrorStatus | ServerErrorStatus;

/** Errors of the request. Each has a code. */
type ClientErrorStatus = 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 429 | 499;

type ServerErrorStatus = 500 | 501 | 503;

export interface ErrorDetails {
  readonly type?: ErrorType;
  /** For programs: "context_length_exceeded". server/README.md lists them. */
  readonly code?: string;
  /** The field of the body at fault: "messages[0].content". */
  readonly param?: string;
  /** Headers of the response, such as Retry-After. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An error response. The client sees its message. */
export class HttpError extends Error {
  override name = "HttpError";
  readonly status: ErrorStatus;
  readonly type: ErrorType;
  readonly code: string | null;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: ClientErrorStatus, message: string, details: ErrorDetails & { readonly code: string });
  constructor(status: ServerErrorStatus, message: string, details?: ErrorDetails);
  constructor(
    status: ErrorStatus,
    message: string,
    { type, code, param, headers, cause }: ErrorDetails = {},
  ) {
    super(message, { cause });
    this.status = status;
    this.type = type ?? TYPES[status] ?? "invalid_request_error";
    this.code = code ?? null;
    this.param = param ?? null;
    this.headers = headers ?? {};
  }
}

const TYPES: Partial<Record<ErrorStatus, ErrorType>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  500: "server_error",
  501: "not_implemented_error",
  503: "server_error",
};

/**
 * An error of the engine as a response. The engine's code is part of it, with underscores. An error without a
 * code is a bug; the response then reveals nothing about the server.
 */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (isParameterError(error)) return badParameter(error);
  if (error instanceof ContextLengthError)
    return new HttpError(400, error.message, { code: "context_length_exceeded", cause: error });
  if (error instanceof ChatTemplateError || error instanceof TokenizerError)
    return new HttpError(400, error.message, {
      code: withUnderscores(error.code),
      param: "messages",
      cause: error,
    });
  if (error instanceof DeviceLostError)
    return new HttpError(503, "The model has lost its GPU. Try again, or ask the operator of this server.", {
      code: "device_lost",
      headers: { "Retry-After": "5" },
      cause: error,
    });
  const known = error instanceof DeviceError || error instanceof CheckpointError ? error.code : undefined;
  const what = error instanceof DeviceError ? "The GPU refused the work." : "The server failed.";
  return new HttpError(500, `${what} Its log has the reason, under the request's id.`, {
    ...(known && { code: withUnderscores(known) }),
    cause: error,
  });
}

const withUnderscores = (code: ErrorCode): string => code.replaceAll("-", "_");

/** OpenAI's words. */
const PARAMETER_CODES: Readonly<Record<ParameterErrorCode, string>> = {
  "wrong-type": "invalid_type",
  "out-of-range": "invalid_value",
  unsupported: "unsupported_parameter",
};

/** @param field the name of the parameter in the request, if it differs from the engine's */
export function badParameter(error: ParameterError, field?: string): HttpError {
  const { parameter, code, detail, message } = error;
  const renamed = field !== undefined && detail !== undefined;
  return new HttpError(400, renamed ? `${field}: ${detail}` : message, {
    param: field ?? parameter,
    code: PARAMETER_CODES[code],
    cause: error,
  });
}

/** For the log: the real reason, which the response may not contain. */
export function reasonOf(error: unknown): string {
  const inner = error instanceof HttpError && error.cause !== undefined ? error.cause : error;
  return inner instanceof Error ? `${inner.name}: ${inner.message}` : String(inner);
}
