/** The errors of the drachtio adapter. */

export type DrachtioErrorCode =
  /** The object given is no Srf of drachtio-srf 5. */
  | 'DRACHTIO_SRF'
  /** Binary bodies were asked for, which the control protocol cannot carry. */
  | 'DRACHTIO_BINARY'
  /** The control socket cannot be opened, was lost, or is not open at the moment. */
  | 'DRACHTIO_UNREACHABLE'
  /** The server refused the secret. */
  | 'DRACHTIO_SECRET'
  /** The server did not answer in time. */
  | 'DRACHTIO_SILENT'
  /** The server refused a command. */
  | 'DRACHTIO_REFUSED'
  /** A body that is no UTF-8 text, or has a NUL, would be damaged. */
  | 'DRACHTIO_BODY'
  /** A message is longer than the server reads. */
  | 'DRACHTIO_TOO_LARGE'
  /** A route set that the server would drop. */
  | 'DRACHTIO_ROUTE'
  /** A bound of the adapter is reached. */
  | 'DRACHTIO_FULL';

/** `code` is stable API, `hint` is for the reader of a log. */
export class DrachtioError extends Error {
  readonly code: DrachtioErrorCode;

  constructor(code: DrachtioErrorCode, hint: string) {
    super(`${code}: ${hint}`);
    this.name = 'DrachtioError';
    this.code = code;
  }
}
