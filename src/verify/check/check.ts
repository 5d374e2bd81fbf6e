/** Judges a trace of a deferred messaging server: the one of this project, or any other. */

import type { Capture, Observed } from '../capture/observed.js';
import { assumptionsWith, type Assumption } from './assumption.js';
import { nothingBefore, type Before } from './before.js';
import { clientsIn, clientViolations } from './client-rules.js';
import { closingViolations } from './closing-rules.js';
import { conferenceViolations } from './conference-rules.js';
import { conversationOf, type Conversation } from './conversation.js';
import type { Deed } from './deed.js';
import { identitiesOf, type Identities } from './identities.js';
import { lostIn } from './lost.js';
import { msrpViolations } from './msrp-rules.js';
import { scriptOf, type Script } from './script.js';
import { steadyTimes } from './steady-clock.js';
import { passedOnViolations } from './passed-on.js';
import { sipViolations } from './transaction-rules.js';
import { UserFlow } from './user-flow.js';
import { xcapViolations } from './xcap-rules.js';
import type { JudgedUser, Unjudged, Verdict, Violation } from './verdict.js';

export interface CheckOptions {
  /** Addresses of the server, each `host:port`; found where they are not given. */
  readonly servers?: readonly string[];
  /** The trace begins with a server that keeps nothing: what it shows needs no excuse. */
  readonly fromStart?: boolean;
  /** Who is judged; the server where it is not said. */
  readonly role?: Role;
  /** Settings of the server, as far as they are known; the others are guessed. */
  readonly settings?: Partial<Assumption>;
  /** Further identities of users: AoRs or telephone numbers, and the user whose they are. */
  readonly identities?: ReadonlyMap<string, string>;
}

export type Role = 'server' | 'client' | 'both';

/** Attempts to explain what a user did by what was before the trace, and by a later beginning. */
const excusesMax = 200;
const beginningsMax = 8;
/** One excuse may need another one before it helps. */
const stuckMax = 3;

export function checkTrace(
  { messages: seen, remarks, losses = [], closings = [] }: Capture,
  options: CheckOptions = {},
): Verdict {
  const { servers = [], fromStart = false, role = 'server' } = options;
  const { messages, remarks: ofClock } = steadyTimes(seen);
  const conversation = conversationOf(messages, new Set(servers));
  const identities = identitiesOf(conversation, options.identities);
  const script = scriptOf(conversation, identities);
  const lost = lostIn(conversation, losses);
  const last = lost.length > 0 ? undefined : messages.at(-1);
  const beginnings = new Beginnings(messages, { conversation, script, identities });
  const isOf = (one: Role): boolean => role === one || role === 'both';
  const users = isOf('server') ? [...script.users.keys()] : [];
  const under = assumptionsWith(options.settings);
  const found = users.map((user) => judged(user, beginnings, { fromStart, under }));
  const explained = found.flatMap((one) => one.violations);
  const sure: Violation[] = [];
  if (isOf('server')) {
    const { exchanges } = conversation;
    sure.push(...sipViolations(conversation, last));
    sure.push(...conferenceViolations(exchanges, last?.at));
    explained.push(...passedOnViolations(exchanges, last?.at));
    explained.push(...msrpViolations(script.talk, last));
    explained.push(...xcapViolations(conversation.xcap));
    explained.push(...closingViolations(exchanges, script.talk, closings));
  }
  if (isOf('client')) {
    const isWhole = fromStart && lost.length === 0;
    explained.push(...clientViolations(conversation, script.talk, last, isWhole));
  }
  const times = new Map(seen.map(({ number, at }) => [number, at]));
  const sorted = (some: readonly Violation[]): Violation[] =>
    some
      .map((one) => ({ ...one, at: times.get(one.number) ?? one.at }))
      .sort((one, other) => one.number - other.number);
  const violations = sorted(lost.length > 0 ? sure : [...explained, ...sure]);
  const undecided = sorted(lost.length > 0 ? explained : []);
  const { elsewhere, retransmissions } = conversation;
  const unjudged: Unjudged[] = [...script.unjudged].map(([what, count]) => ({ what, count }));
  if (elsewhere > 0) unjudged.push({ what: 'messages between others', count: elsewhere });
  return {
    ...{ conforms: violations.length + undecided.length === 0, violations, undecided, lost },
    ...{ servers: [...conversation.servers], users: found.map(({ outcome }) => outcome) },
    clients: isOf('client') ? clientsIn(conversation) : [],
    ...{ messages: messages.length, retransmissions, unjudged },
    remarks: [...remarks, ...ofClock],
  };
}

/** How users are judged. */
interface Judging {
  readonly fromStart: boolean;
  readonly under: readonly Assumption[];
}

interface Judged {
  readonly outcome: JudgedUser;
  readonly violations: readonly Violation[];
}

/** The trace as it is, and as it is behind the last session of which the beginning is missing. */
class Beginnings {
  readonly #servers: ReadonlySet<string>;
  readonly #identities: Identities;
  readonly #all: Beginning[];

  constructor(
    messages: readonly Observed[],
    {
      conversation,
      script,
      identities,
    }: Readonly<{
      conversation: Conversation;
      script: Script;
      identities: Identities;
    }>,
  ) {
    this.#servers = conversation.servers;
    this.#identities = identities;
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
    const script = scriptOf(conversationOf(messages, this.#servers), this.#identities);
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
function judged(user: string, beginnings: Beginnings, judging: Judging): Judged {
  const { fromStart } = judging;
  const whole = beginnings.at(0)!;
  const first = played(user, whole, judging);
  let judgement = first;
  for (let place = 1; judgement.violations.length > 0 && !fromStart; place++) {
    const beginning = beginnings.at(place);
    if (beginning === undefined) break;
    const { lastOfBefore } = beginnings.at(place - 1)!.script;
    const later = played(user, beginning, judging);
    const assumed = [`a session that ends with message ${lastOfBefore}`, ...later.outcome.assumed];
    judgement = { ...later, outcome: { ...later.outcome, assumed } };
  }
  return judgement.violations.length === 0 ? judgement : first;
}

/** With as much before the trace as it takes, if that helps. */
function played(
  user: string,
  { messages, script }: Beginning,
  { fromStart, under }: Judging,
): Judged {
  const deeds = script.users.get(user) ?? [];
  const { ahead } = script.talk;
  const play = (before: Before): UserFlow =>
    playedWith(user, { deeds, messages, under, ahead }, before);
  let flow = play(nothingBefore);
  let tried = flow;
  let stuck = 0;
  for (let attempt = 0; attempt < excusesMax && stuck < stuckMax && !fromStart; attempt++) {
    const [breach] = tried.breaches;
    if (breach?.excuse === undefined) break;
    tried = play(breach.excuse);
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

interface Played {
  readonly deeds: readonly Deed[];
  readonly messages: readonly Observed[];
  readonly under: readonly Assumption[];
  /** Messages that the server ever had under way at a time. */
  readonly ahead: number;
}

/** A server may have more of them under way than it has had. */
const spare = 64;

function playedWith(
  user: string,
  { deeds, messages, under, ahead }: Played,
  before: Before,
): UserFlow {
  const at = messages[0]?.at ?? 0;
  const flow = new UserFlow(user, before, under, { at, window: ahead + spare });
  for (const deed of deeds) deed.play(flow);
  const last = messages.at(-1);
  if (last) flow.advance(last);
  return flow;
}
