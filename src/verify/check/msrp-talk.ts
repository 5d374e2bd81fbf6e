/** MSRP sessions as they were seen: SENDs with their responses, in the order of the trace. */

import type { MsrpRequestHead, MsrpResponseHead } from '../../wire/msrp/frame.js';
import type { Turn } from './conversation.js';
import { beginsMessage, innerCallId } from './encapsulated.js';
import { SessionMedia } from './session-media.js';
import type { SpokenMsrp } from './spoken.js';

export interface MsrpRequestSeen {
  readonly kind: 'request';
  readonly spoken: SpokenMsrp;
  readonly head: MsrpRequestHead;
  readonly callId: string;
  readonly fromServer: boolean;
  /** The first response to it. */
  response: MsrpResponseSeen | undefined;
}

export interface MsrpResponseSeen {
  readonly kind: 'response';
  readonly spoken: SpokenMsrp;
  readonly head: MsrpResponseHead;
  readonly callId: string;
  readonly fromServer: boolean;
  readonly request: MsrpRequestSeen | undefined;
}

export type MsrpSeen = MsrpRequestSeen | MsrpResponseSeen;

export class MsrpTalk {
  readonly #seen = new Map<SpokenMsrp, MsrpSeen>();
  readonly #sent = new Map<string, string[]>();
  readonly all: MsrpSeen[] = [];
  /** Messages of the server that wait for their outcome, by call, and the most there ever were. */
  readonly #open = new Map<string, Set<string>>();
  ahead = 0;
  /** Frames that were captured twice: MSRP itself repeats nothing. */
  readonly again = new Set<SpokenMsrp>();

  constructor(turns: readonly Turn[], media: SessionMedia) {
    const open = new Map<string, MsrpRequestSeen>();
    const frames = new Map<string, Buffer>();
    for (const turn of turns) {
      if (turn.kind !== 'msrp') continue;
      const { spoken } = turn;
      const session = media.of(spoken.head);
      if (session === undefined) continue;
      if (isAgain(spoken, session, frames)) {
        this.again.add(spoken);
        continue;
      }
      const seen = seenOf(spoken, session, open);
      this.#seen.set(spoken, seen);
      this.all.push(seen);
      this.#count(seen);
      if (seen.kind === 'request' && seen.fromServer && beginsMessage(spoken)) {
        const inner = innerCallId(spoken);
        const sent = this.#sent.get(session.callId) ?? [];
        if (inner !== undefined) sent.push(inner);
        this.#sent.set(session.callId, sent);
      }
    }
  }

  #count(seen: MsrpSeen): void {
    const open = this.#open.get(seen.callId) ?? new Set();
    this.#open.set(seen.callId, open);
    if (seen.kind === 'request' && seen.fromServer) {
      if (beginsMessage(seen.spoken)) open.add(seen.head.messageId);
      this.ahead = Math.max(this.ahead, open.size);
    } else if (seen.kind === 'request') open.delete(seen.head.messageId);
    else if (seen.request && !(seen.request.head.successReport && seen.head.status === 200)) {
      open.delete(seen.request.head.messageId);
    }
  }

  /** Undefined: of a session that nobody has described. */
  of(spoken: SpokenMsrp): MsrpSeen | undefined {
    return this.#seen.get(spoken);
  }

  /** The Call-IDs of the messages that the server sends in a session. */
  sent(callId: string): readonly string[] {
    return this.#sent.get(callId) ?? [];
  }
}

/** The same octets in the same transaction. */
function isAgain(
  { head, observed }: SpokenMsrp,
  { callId, fromServer }: { callId: string; fromServer: boolean },
  frames: Map<string, Buffer>,
): boolean {
  const key = `${callId} ${fromServer} ${head.kind} ${head.transactionId}`;
  const known = frames.get(key);
  if (known === undefined) frames.set(key, observed.bytes);
  return known?.equals(observed.bytes) === true;
}

function seenOf(
  spoken: SpokenMsrp,
  { callId, fromServer }: { callId: string; fromServer: boolean },
  open: Map<string, MsrpRequestSeen>,
): MsrpSeen {
  const { head } = spoken;
  if (head.kind === 'request') {
    const seen: MsrpRequestSeen = {
      ...{ kind: 'request', spoken, head, callId, fromServer, response: undefined },
    };
    open.set(`${callId} ${fromServer} ${head.transactionId}`, seen);
    return seen;
  }
  const request = open.get(`${callId} ${!fromServer} ${head.transactionId}`);
  const seen: MsrpResponseSeen = { kind: 'response', spoken, head, callId, fromServer, request };
  if (request) request.response ??= seen;
  return seen;
}

/** Octets of a chunk, counted from 1. */
export function rangeOf({ head, spoken }: MsrpRequestSeen): {
  readonly from: number;
  readonly to: number;
  readonly total: number | undefined;
} {
  const from = head.byteRange?.start ?? 1;
  const length = spoken.whole ? spoken.body.length : (head.byteRange?.end ?? from) - from + 1;
  return { from, to: from + length - 1, total: head.byteRange?.total };
}
