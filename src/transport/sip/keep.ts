/** The Via parameter `keep` by which neighbours agree on keep-alives (RFC 6223). */

import type { SipResponse } from '../../wire/sip/message.js';
import type { Via } from '../../wire/sip/via.js';
import type { Flow } from './flow.js';

const secondsMax = 86_400;
const bare = /;[ \t]*keep[ \t]*(?=;|$)/i;

/** Our Via in a request, with the offer to keep its flow alive. */
export function offeringKeep(via: string): string {
  return `${via};keep`;
}

/** 4.4: the Via of an answer says how often, where the request came by a connection and asked. */
export function answeringKeep(value: string, via: Via, flow: Flow, keepAliveMs: number): string {
  if (flow.transport === 'udp' || via.params.get('keep') !== '') return value;
  return value.replace(bare, `;keep=${Math.floor(keepAliveMs / 1000)}`);
}

/** 4.3: begins with keep-alives when the answer to our offer asks for them. */
export function heedKeep(response: SipResponse, via: Via, flow: Flow): void {
  if (flow.offersKeepAlive !== true || response.status >= 300) return;
  const seconds = via.params.get('keep');
  if (seconds === undefined || !/^[0-9]{1,5}$/.test(seconds)) return;
  flow.keepAlive?.(Math.min(Number(seconds), secondsMax));
}
