/** Judges a trace of a deferred messaging server: the one of this project, or any other. */

import type { Capture, Observed } from '../capture/observed.js';
import { assumptions } from './assumption.js';
import { nothingBefore, type Before } from './before.js';
import { conversationOf } from './conversation.js';
import type { Deed } from './deed.js';
import { msrpViolations } from './msrp-rules.js';
import { scriptOf, type Script } from './script.js';
import { sipViolations } from './transaction-rules.js';
import { UserFlow } from './user-flow.js';
import type { JudgedUser, Unjudged, Verdict, Violation } from './verdict.js';

export interface CheckOptions {
  /** Addresses of the server, each `host:port`; found where they are not given. */
  readonly servers?: readonly string[];
  /** The trace begins with a server that keeps nothing: what it shows needs no excuse. */
  readonly fromStart?: boolean;
}

/** Attempts to explain what a user did by what was before the trace, and by a later beginning. */
const excusesMax = 200;
const beginningsMax = 8;
/** One excuse may need another one before it helps. */
const stuckMax = 3;

export function checkTrace(
  { messages, remarks }: Capture,
  { servers = [], fromStart = false }: CheckOptions = {},
): Verdict {
  const conversation = conversationOf(messages, new Set(servers));
  const script = scriptOf(conversation);
  const beginnings = new Beginnings(messages, conversation.servers, script);
  const found = [...script.users.keys()].map((user) => judged(user, beginnings, fromStart));
  const last = messages.at(-1);
  const violations = found
    .flatMap((one) => one.violations)
    .concat(sipViolations(conversation, last), msrpViolations(script.talk, last))
    .sort((one, other) => one.number - other.number);
  const { elsewhere, retransmissions } = conversation;
  const unjudged: Unjudged[] = [...script.unjudged].map(([what, count]) => ({ what, count }));
  if (elsewhere > 0) unjudged.push({ what: 'messages between others', count: elsewhere });
  return {
    ...{ conforms: violations.length === 0, violations },
    ...{ servers: [...conversation.servers], users: found.map(({ outcome }) => outcome) },
    ...{ messages: messages.length, retransmissions, unjudged, remarks },
  };
}

interface Judged {
  readonly outcome: JudgedUser;
  readonly violations: readonly Violation[];
}

/** The trace as it is, and as it is behind the last session of which the beginning is missing. */
class Beginnings {
  readonly #servers: ReadonlySet<string>;
  readonly #all: Beginning[];

  constructor(messages: readonly Observed[], servers: ReadonlySet<string>, script: Script) {
    this.#servers = servers;
    this.#all = [{ messages, script }];
  }

  /** Undefined: there is no such session any more. */
  at(place: number): Beginning | undefined {
    const known = this.#all[place];
    if (known !== undefined || place >= beginningsMax) return known;
    const before = this.at(place - 1);
    const lastOfBefore = before?.script.lastOfBefore ?? 0;
    if (before === undefined || lastOfBefore === 0) return undefined;
    const messages = before.messages.filter(({ number }) => number > lastOfBefore);
    const script = scriptOf(conversationOf(messages, this.#servers));
    return (this.#all[place] = { messages, script });
  }
}

interface Beginning {
  readonly messages: readonly Observed[];
  readonly script: Script;
}

/**
 * A user, from the beginning of the trace; where that cannot be explained and sessions from before
 * it went on, from behind the last of these.
 */
function judged(user: string, beginnings: Beginnings, fromStart: boolean): Judged {
  const whole = beginnings.at(0)!;
  const first = played(user, whole, fromStart);
  let judgement = first;
  for (let place = 1; judgement.violations.length > 0 && !fromStart; place++) {
    const beginning = beginnings.at(place);
    if (beginning === undefined) break;
    const { lastOfBefore } = beginnings.at(place - 1)!.script;
    const later = played(user, beginning, fromStart);
    const assumed = [`a session that ends with message ${lastOfBefore}`, ...later.outcome.assumed];
    judgement = { ...later, outcome: { ...later.outcome, assumed } };
  }
  return judgement.violations.length === 0 ? judgement : first;
}

/** With as much before the trace as it takes, if that helps. */
function played(user: string, { messages, script }: Beginning, fromStart: boolean): Judged {
  const deeds = script.users.get(user) ?? [];
  let flow = play(user, deeds, messages, nothingBefore);
  let tried = flow;
  let stuck = 0;
  for (let attempt = 0; attempt < excusesMax && stuck < stuckMax && !fromStart; attempt++) {
    const [breach] = tried.breaches;
    if (breach?.excuse === undefined) break;
    tried = play(user, deeds, messages, breach.excuse);
    const isBetter = firstBreach(tried) > firstBreach(flow);
    stuck = isBetter ? 0 : stuck + 1;
    if (isBetter) flow = tried;
  }
  const violations = flow.breaches.map(({ violation }) => violation);
  return { outcome: flow.judged(), violations };
}

/** The number of the message; infinite without one. */
function firstBreach({ breaches }: UserFlow): number {
  return Math.min(Infinity, ...breaches.map(({ violation }) => violation.number));
}

function play(
  user: string,
  deeds: readonly Deed[],
  messages: readonly Observed[],
  before: Before,
): UserFlow {
  const flow = new UserFlow(user, before, assumptions, messages[0]?.at ?? 0);
  for (const deed of deeds) deed.play(flow);
  const last = messages.at(-1);
  if (last) flow.advance(last);
  return flow;
}
