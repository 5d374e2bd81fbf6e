/** Session timers as values: what a request asks for and what its 2xx grants (RFC 4028). */

import { WireError } from '../../wire/error.js';
import type { HeaderField, SipHeaders } from '../../wire/sip/message.js';
import { parseDigits } from '../../wire/sip/number.js';
import { parseParams } from '../../wire/sip/params.js';

/** In seconds, as in the header fields. */
export interface SessionTimer {
  /** Session-Expires of our requests, and the most that a 2xx of ours grants. */
  readonly expires: number;
  /** Below it a request is refused with 422. At least 90 (RFC 4028 4). */
  readonly expiresMin: number;
}

export const sessionTimer: SessionTimer = { expires: 1_800, expiresMin: 90 };

/** No Min-SE is below 90 seconds (5), no interval below its minimum. */
export function boundedSessionTimer(asked: Partial<SessionTimer> | undefined): SessionTimer {
  const { expires, expiresMin } = { ...sessionTimer, ...asked };
  const floor = Math.max(expiresMin, sessionTimer.expiresMin);
  return { expires: Math.max(expires, floor), expiresMin: floor };
}

type Refresher = 'uac' | 'uas';

/** What a request says of its session. */
export interface SessionRequest {
  readonly expires: number | undefined;
  readonly refresher: Refresher | undefined;
  readonly expiresMin: number;
  readonly isSupported: boolean;
}

/** What two sides have agreed on, as one of them sees it. */
export interface SessionTerms {
  /** Seconds until the session expires unless it is refreshed. */
  readonly expires: number;
  /** The largest Min-SE that was met. */
  readonly expiresMin: number;
  /** It is we who refresh. */
  readonly isOurs: boolean;
}

/** Throws WireError `SIP_SESSION_TIMER`. */
export function sessionRequestOf(request: SipHeaders): SessionRequest {
  const { expires, refresher } = sessionExpires(request) ?? {};
  const field = request.header('Min-SE');
  const least = minSeOf(request);
  if (field !== undefined && least === undefined) throw malformed('Min-SE');
  return {
    expires,
    refresher,
    expiresMin: Math.max(least ?? 0, sessionTimer.expiresMin),
    isSupported: supportsTimer(request),
  };
}

/** 422 says what we take at least. */
export function isTooBrief(asked: SessionRequest, ours: SessionTimer): boolean {
  return asked.expires !== undefined && asked.expires < ours.expiresMin;
}

/** 9: never more than was asked for, never below the Min-SE of the request; table 2. */
export function grantOf(asked: SessionRequest, ours: SessionTimer): SessionTerms {
  const most = Math.max(ours.expires, asked.expiresMin);
  const expires = Math.min(asked.expires ?? most, most);
  const refresher = asked.isSupported ? (asked.refresher ?? 'uac') : 'uas';
  return { expires, expiresMin: asked.expiresMin, isOurs: refresher === 'uas' };
}

/** The header fields of a 2xx. Whoever is to refresh must know what that means (9). */
export function grantFields({ expires, isOurs }: SessionTerms): readonly HeaderField[] {
  return isOurs
    ? [['Session-Expires', `${expires};refresher=uas`]]
    : [
        ['Require', 'timer'],
        ['Session-Expires', `${expires};refresher=uac`],
      ];
}

/** The header fields of an INVITE of ours that opens a session (7.1). */
export function askFields({ expires, expiresMin }: SessionTimer): HeaderField[] {
  const fields: HeaderField[] = [
    ['Supported', 'timer'],
    ['Session-Expires', String(expires)],
  ];
  if (expiresMin > sessionTimer.expiresMin) fields.push(['Min-SE', String(expiresMin)]);
  return fields;
}

/** The header fields of a refresh of ours (7.4). */
export function refreshFields({ expires, expiresMin }: SessionTerms): HeaderField[] {
  const fields: HeaderField[] = [
    ['Supported', 'timer'],
    ['Session-Expires', `${expires};refresher=uac`],
  ];
  if (expiresMin > sessionTimer.expiresMin) fields.push(['Min-SE', String(expiresMin)]);
  return fields;
}

/** What a 2xx to a request of ours grants (7.2); undefined: the session does not expire. */
export function termsOf(response: SipHeaders, ours: SessionTimer): SessionTerms | undefined {
  let granted;
  try {
    granted = sessionExpires(response);
  } catch (error) {
    // What cannot be read grants nothing.
    if (error instanceof WireError) return undefined;
    throw error;
  }
  if (granted === undefined) return undefined;
  // Nobody can make us refresh faster than RFC 4028 allows.
  const expires = Math.max(granted.expires, sessionTimer.expiresMin);
  const expiresMin = Math.min(ours.expiresMin, expires);
  return { expires, expiresMin, isOurs: granted.refresher !== 'uas' };
}

/** Min-SE of a 422 or a request; undefined when there is none that can be read. */
export function minSeOf(message: SipHeaders): number | undefined {
  return parseDigits(message.header('Min-SE')?.split(';', 1)[0]?.trim());
}

/** 10: the BYE leaves 32 s or a third of the interval before the session expires. */
export function expiryDelayMs({ expires }: SessionTerms): number {
  return (expires - Math.min(32, expires / 3)) * 1_000;
}

function supportsTimer(message: SipHeaders): boolean {
  const names = (field: string): boolean =>
    message.list(field).some((option) => option.toLowerCase() === 'timer');
  return names('Supported') || names('Require');
}

function sessionExpires(
  message: SipHeaders,
): { readonly expires: number; readonly refresher: Refresher | undefined } | undefined {
  const value = message.header('Session-Expires');
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(';');
  const end = semicolon < 0 ? value.length : semicolon;
  const expires = parseDigits(value.slice(0, end).trim());
  if (expires === undefined) throw malformed('Session-Expires');
  const refresher = parseParams(value, end).get('refresher')?.toLowerCase();
  return {
    expires,
    refresher: refresher === 'uac' || refresher === 'uas' ? refresher : undefined,
  };
}

function malformed(name: string): WireError {
  return new WireError('SIP_SESSION_TIMER', `malformed ${name}`);
}
