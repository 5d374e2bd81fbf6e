/** The Warning header field (RFC 3261 20.43). */

import { quotedString, unquoted } from './params.js';

export interface Warning {
  readonly code: number;
  readonly agent: string;
  readonly text: string;
}

/** `399 host "text"`, the text escaped. */
export function formatWarning(warning: Warning): string {
  return `${warning.code} ${warning.agent} ${quotedString(warning.text)}`;
}

/** Undefined when malformed. */
export function parseWarning(value: string): Warning | undefined {
  const match = /^([0-9]{3}) ([^\s"]+) ("(?:[^"\\]|\\[\s\S])*")$/.exec(value.trim());
  if (!match) return undefined;
  return { code: Number(match[1]), agent: match[2]!, text: unquoted(match[3]!) };
}
