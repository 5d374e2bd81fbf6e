/** Who the tester can prove to be: a sender and users, with their passwords. */

import { VerifyError } from '../verify-error.js';

export interface Credentials {
  /** User part of who sends the messages. */
  readonly sender: string;
  /** User parts of those who receive them, one for each path. */
  readonly users: readonly string[];
  /** Never printed. */
  passwordOf(user: string): string;
}

/** Lines of a file of credentials. */
const linesMax = 10_000;

/**
 * Lines `user:password`: the first one is the sender, the others are users to test with. Empty
 * lines and those that begin with `#` are passed over. Throws VERIFY_CREDENTIALS.
 */
export function parseCredentials(text: string): Credentials {
  const passwords = new Map<string, string>();
  const lines = text.split(/\r?\n/);
  if (lines.length > linesMax) throw malformed(`more than ${linesMax} lines`);
  for (const [index, line] of lines.entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const [, user, password] = /^\s*([^\s:@<>"]+):(.+)$/.exec(line) ?? [];
    // What stands there is a secret, in part or by mistake.
    if (user === undefined) throw malformed(`line ${index + 1} is not user:password`);
    if (passwords.has(user)) throw malformed(`line ${index + 1} names a user again`);
    passwords.set(user, password!);
  }
  const [sender, ...users] = passwords.keys();
  if (sender === undefined || users.length === 0) {
    throw malformed('a sender and at least one user are wanted');
  }
  return { sender, users, passwordOf: (user) => passwords.get(user) ?? '' };
}

function malformed(hint: string): VerifyError {
  return new VerifyError('VERIFY_CREDENTIALS', hint);
}
