/** An error of a tool that verifies, with a stable code. */
export class VerifyError extends Error {
  readonly code: string;

  constructor(code: string, hint: string) {
    super(`${code}: ${hint}`);
    this.name = 'VerifyError';
    this.code = code;
  }
}
