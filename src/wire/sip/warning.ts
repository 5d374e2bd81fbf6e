/** The Warning header field (RFC 3261 20.43). */

export interface Warning {
  readonly code: number;
  readonly agent: string;
  readonly text: string;
}

/** `399 host "text"`, the text escaped. */
export function formatWarning(_warning: Warning): string {
  throw new Error('pending');
}

/** Undefined when malformed. */
export function parseWarning(_value: string): Warning | undefined {
  throw new Error('pending');
}
