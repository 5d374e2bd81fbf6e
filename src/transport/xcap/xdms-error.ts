/** What goes wrong between us and an external XDMS. */

export type XdmsErrorCode =
  | 'XDMS_UNREACHABLE'
  | 'XDMS_TIMEOUT'
  | 'XDMS_UNAVAILABLE'
  | 'XDMS_DOWN'
  | 'XDMS_BUSY'
  | 'XDMS_REFUSED'
  | 'XDMS_CREDENTIALS'
  | 'XDMS_ANSWER'
  | 'XDMS_RACED'
  | 'XDMS_URI';

export class XdmsError extends Error {
  readonly code: XdmsErrorCode;

  constructor(code: XdmsErrorCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.name = 'XdmsError';
    this.code = code;
  }
}
