/** Rules that one message or transaction of the server is held to, whatever account it is for. */

import type { Observed } from '../capture/observed.js';
import { clause, type ClauseId } from './clause.js';
import type { Exchange, RequestSpoken, ResponseSpoken } from './exchange.js';
import type { Violation } from './verdict.js';

/** What is wrong, in words; undefined: nothing. */
export type Fault = string | undefined;

/** A rule for requests of the server, by method; `*` is every one. */
export interface RequestRule {
  readonly clause: ClauseId;
  readonly methods: readonly string[];
  broken(request: RequestSpoken, exchange: Exchange): Fault;
}

/** A rule for responses of the server. */
export interface ResponseRule {
  readonly clause: ClauseId;
  readonly methods: readonly string[];
  /** By their first digit, or one status. */
  readonly statuses: readonly number[];
  broken(response: ResponseSpoken, exchange: Exchange): Fault;
}

export function isFor({ methods }: { readonly methods: readonly string[] }, method: string) {
  return methods.includes('*') || methods.includes(method);
}

export function isOf({ statuses }: ResponseRule, status: number): boolean {
  return statuses.includes(status) || statuses.includes(Math.floor(status / 100));
}

/** A violation by one message, of no account in particular. */
export function violationOf(
  { number, at, source, target }: Observed,
  id: ClauseId,
  found: string,
): Violation {
  const of = { number, at, source, target, by: 'server' as const };
  return { ...of, clause: clause(id), found, states: [], allowed: [] };
}

/** As a rule wants a header field to be there. */
export function lacks(
  { message }: RequestSpoken | ResponseSpoken,
  ...names: readonly string[]
): Fault {
  const missing = names.filter((name) => message.header(name) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(', ')} missing`;
}
