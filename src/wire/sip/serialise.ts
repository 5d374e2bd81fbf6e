/** SIP messages made into octets. */

import type { HeaderField } from './message.js';

export interface RequestParts {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly HeaderField[];
  readonly body?: Buffer | undefined;
}

export interface ResponseParts {
  readonly status: number;
  readonly reason?: string | undefined;
  readonly headers: readonly HeaderField[];
  readonly body?: Buffer | undefined;
}

/** Content-Length is added unless it is among the fields. Throws SerialiseError. */
export function serialiseRequest(_parts: RequestParts): Buffer {
  throw new Error('pending');
}

/** The reason defaults to `reasonPhrase(status)`. Throws SerialiseError. */
export function serialiseResponse(_parts: ResponseParts): Buffer {
  throw new Error('pending');
}

/** A mistake of ours: a part that would break the message it goes into. `code` is stable API. */
export class SerialiseError extends Error {
  readonly code: string;

  constructor(code: string, hint: string) {
    super(`${code}: ${hint}`);
    this.name = 'SerialiseError';
    this.code = code;
  }
}
