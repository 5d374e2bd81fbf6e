/** An error as one line for a person. */

/** The code and what is wrong; never a stack trace. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : error.name;
  return error.message.startsWith(code) ? error.message : `${code}: ${error.message}`;
}
