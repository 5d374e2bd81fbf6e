/** The error of a peer: input that breaks a standard. */

/**
 * Thrown by every parser of `wire`. `code` is stable API, `status` is the SIP or MSRP status that
 * answers such input, `hint` is for the reader of a log and never carries content of a message.
 */
export class WireError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly status: number;

  constructor(code: string, hint: string, status = 400) {
    super(`${code}: ${hint}`);
    this.name = 'WireError';
    this.code = code;
    this.hint = hint;
    this.status = status;
  }
}
