/** Judges a trace of a deferred messaging server: the one of this project, or any other. */

import type { Capture } from '../capture/observed.js';
import { conversationOf } from './conversation.js';
import { scriptOf, type Deed } from './script.js';
import { UserFlow, unknownAccounts } from './user-flow.js';
import type { JudgedUser, Unjudged, Verdict, Violation } from './verdict.js';

export interface CheckOptions {
  /** Addresses of the server, each `host:port`; found where they are not given. */
  readonly servers?: readonly string[];
}

export function checkTrace(
  { messages, remarks }: Capture,
  { servers = [] }: CheckOptions = {},
): Verdict {
  const conversation = conversationOf(messages, new Set(servers));
  const { users, unjudged } = scriptOf(conversation);
  const violations: Violation[] = [];
  const judged: JudgedUser[] = [];
  const last = messages.at(-1);
  for (const [user, deeds] of users) {
    const flow = playOf(user, deeds, (violation) => violations.push(violation));
    if (last) flow.advance(last);
    judged.push(flow.judged());
  }
  violations.sort((one, other) => one.number - other.number);
  const { elsewhere, retransmissions } = conversation;
  const passed: Unjudged[] = [...unjudged].map(([what, count]) => ({ what, count }));
  if (elsewhere > 0) passed.push({ what: 'messages between others', count: elsewhere });
  return {
    ...{ conforms: violations.length === 0, violations },
    ...{ servers: [...conversation.servers], users: judged },
    ...{ messages: messages.length, retransmissions, unjudged: passed, remarks },
  };
}

function playOf(
  user: string,
  deeds: readonly Deed[],
  report: (violation: Violation) => void,
): UserFlow {
  const flow = new UserFlow(user, report, { accounts: unknownAccounts(), assumed: [] });
  for (const deed of deeds) deed.play(flow);
  return flow;
}
