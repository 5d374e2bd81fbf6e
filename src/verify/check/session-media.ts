/** MSRP sessions: which call has described them, and whose end a path is. */

import type { MsrpSdpFacts } from '../../machines/events.js';
import { answeredMedia, offeredMedia } from '../../actors/media-facts.js';
import { bodyParts, invitationBody, type InvitationBody } from '../../actors/request-body.js';
import { WireError } from '../../wire/error.js';
import type { MsrpHead } from '../../wire/msrp/frame.js';
import { sessionIdOf } from '../../wire/msrp/uri.js';
import { parseSdp } from '../../wire/sdp.js';
import type { SipMessage } from '../../wire/sip/message.js';
import type { Exchange } from './exchange.js';
import type { SpokenSip } from './spoken.js';

const use = { tls: true, cema: true };
const bodyBytes = 16_777_216;

/** What a client that is not heard of is taken to have said. */
export const anyClient: MsrpSdpFacts = {
  path: ['msrp://client.invalid:2855/unknown;tcp'],
  setup: 'active',
  direction: 'recvonly',
  acceptTypes: ['*'],
  acceptWrappedTypes: ['*'],
};

export interface Session {
  readonly callId: string;
  /** Whether the path with that session-id is that of the server. */
  readonly isServers: boolean;
}

/** Sessions by the session-id of either end. */
export class SessionMedia {
  readonly #sessions = new Map<string, Session>();

  constructor(exchanges: readonly Exchange[]) {
    for (const { method, callId, inbound, request, responses } of exchanges) {
      if (method !== 'INVITE' && method !== 'UPDATE') continue;
      this.#note(request, callId, !inbound);
      for (const response of responses) this.#note(response, callId, inbound);
    }
  }

  #note({ message, whole }: SpokenSip, callId: string, isServers: boolean): void {
    if (!whole) return;
    const [uri] = (offeredIn(message).offer?.path ?? []).slice(-1);
    const id = uri === undefined ? undefined : sessionIdOf(uri);
    if (id !== undefined && !this.#sessions.has(id)) this.#sessions.set(id, { callId, isServers });
  }

  /** The call of a frame, and whether the server has sent it; undefined: nobody has described it. */
  of({ toPath, fromPath }: MsrpHead): { callId: string; fromServer: boolean } | undefined {
    for (const [path, isTarget] of [
      [fromPath, false],
      [toPath, true],
    ] as const) {
      for (const uri of path) {
        const session = this.#sessions.get(sessionIdOf(uri) ?? '');
        if (session === undefined) continue;
        return { callId: session.callId, fromServer: session.isServers !== isTarget };
      }
    }
    return undefined;
  }
}

/** The offer or answer in a message, and the URIs that it lists. */
export function offeredIn(message: SipMessage): {
  readonly offer?: MsrpSdpFacts;
  readonly list?: readonly string[];
} {
  const body = bodyOf(message);
  const offer = body.sdp && readable(() => offeredMedia(body.sdp!, use));
  return { ...(offer && { offer }), ...(body.list && { list: body.list }) };
}

function bodyOf(message: SipMessage): InvitationBody {
  const nothing: InvitationBody = { sdp: undefined, list: undefined };
  return readable(() => invitationBody(bodyParts(message, bodyBytes))) ?? nothing;
}

export function answeredIn({ message, whole }: SpokenSip): MsrpSdpFacts | undefined {
  if (!whole) return anyClient;
  if (message.body.length === 0) return undefined;
  return readable(() => answeredMedia(parseSdp(message.body), use));
}

/** What is broken says nothing. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
