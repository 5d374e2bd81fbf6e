/** The users of a simulation: they write, register, retrieve and watch, over a network that fails. */

import type { MsrpOutgoing, Owner, SipAnswer, SipOutgoing } from '../ports.js';
import { parseOwner } from '../actors/owner.js';
import type { PortCall } from '../testing/simulated-ports.js';
import type { SimulatedMessage } from './simulation-ledger.js';
import {
  clientAnswer,
  messageText,
  registerText,
  retrievalText,
  subscribeText,
} from './simulation-requests.js';
import type { Simulation } from './simulator.js';

interface User {
  readonly name: string;
  registeredUntil: number;
  /** Nothing goes to it or comes from it until then. */
  partitionedUntil: number;
  cseq: number;
}

const minuteMs = 60_000;
/** Timer F, and Timer B of an INVITE. */
const timeoutMs = 32_000;
/** MSRP waits that long for a response (RFC 4975 7.3). */
const responseMs = 30_000;
/** Longest delay of the network. */
const delayMax = 5000;
/** A sender says the same again, soon enough to be known (D-18). */
const repeatMs = 8000;
/** How often a sender without an answer tries. */
const attemptsMax = 3;

export class SimulatedUsers {
  readonly #world: Simulation;
  readonly #users: User[] = [];
  readonly #byName = new Map<string, User>();
  /** Who waits for the answer to a transaction. */
  readonly #waiting = new Map<string, (answer: SipAnswer) => void>();
  #requests = 0;

  constructor(world: Simulation, count: number) {
    this.#world = world;
    for (let i = 0; i < count; i++) {
      const user = { name: `u${i}`, registeredUntil: 0, partitionedUntil: 0, cseq: 0 };
      this.#users.push(user);
      this.#byName.set(user.name, user);
    }
    const watch = (call: PortCall): void => this.#heard(call);
    world.sip.watch = watch;
    world.msrp.watch = watch;
  }

  begin(): void {
    for (const user of this.#users) {
      this.#repeat(20 * minuteMs, () => this.#write(user));
      this.#repeat(90 * minuteMs, () => this.#register(user));
      this.#repeat(240 * minuteMs, () => this.#retrieve(user));
      this.#repeat(300 * minuteMs, () => this.#subscribe(user));
      this.#repeat(600 * minuteMs, () => this.#partition(user));
    }
  }

  /** Again and again, as long as things may go wrong. */
  #repeat(meanMs: number, act: () => void): void {
    const { random } = this.#world;
    this.#world.after(random.exponential(meanMs), () => {
      if (this.#world.healthy) return;
      act();
      this.#repeat(meanMs, act);
    });
  }

  // ------------------------------------------------------------------------------ requests

  #write(user: User): void {
    const { random, ledger, clock, figures } = this.#world;
    const to = this.#users[random.below(this.#users.length)]!;
    const message = ledger.sent({
      id: `m${++figures.messages}`,
      from: user.name,
      to: to.name,
      reports: random.chance(0.3),
      sentAt: clock.now(),
    });
    this.#submit(user, message, 1);
  }

  /** A sender without an answer says the same again; a network may say it twice. */
  #submit(user: User, message: SimulatedMessage, attempt: number): void {
    const { id, to, reports } = message;
    const world = this.#world;
    let answered = false;
    this.#send(
      user,
      (branch) => messageText({ user: user.name, call: `c${id}`, branch }, { to, id, reports }),
      ({ status }) => {
        answered = true;
        if (message.status === 'acknowledged') return;
        if (status === 202) {
          world.figures.acknowledged++;
          Object.assign(message, { status: 'acknowledged', acknowledgedAt: world.clock.now() });
        } else message.status = status >= 500 && status < 600 ? 'unknown' : 'declined';
      },
    );
    world.after(repeatMs, () => {
      const isOpen = !answered || message.status === 'unknown';
      if (isOpen && attempt < attemptsMax) this.#submit(user, message, attempt + 1);
      else if (!answered && message.status === 'pending') message.status = 'unknown';
    });
  }

  #register(user: User): void {
    const { random, clock } = this.#world;
    const expires = random.chance(0.2) ? 0 : 600 + random.below(3000);
    const cseq = ++user.cseq;
    const write = (branch: string) =>
      registerText({ user: user.name, call: `r${user.name}`, branch }, cseq, expires);
    this.#send(user, write, ({ status }) => {
      if (status === 200) user.registeredUntil = clock.now() + expires * 1000;
    });
  }

  #subscribe(user: User): void {
    const call = `s${++this.#requests}`;
    this.#send(user, (branch) => subscribeText({ user: user.name, call, branch }));
  }

  #retrieve(user: User): void {
    const { sip, figures } = this.#world;
    const call = `i${++this.#requests}`;
    const write = (branch: string) => retrievalText({ user: user.name, call, branch });
    this.#send(user, write, ({ status, owner }) => {
      if (status !== 200 || owner === undefined) return;
      figures.retrievals++;
      this.#input(
        () => sip.acknowledge(owner),
        () => sip.dialogs.has(owner),
      );
    });
  }

  #partition(user: User): void {
    const { random, clock } = this.#world;
    if (!this.#world.fails('partition', 0.5)) return;
    user.partitionedUntil = clock.now() + random.exponential(5 * minuteMs);
  }

  /** Over the network: late, lost, or twice. */
  #send(
    user: User,
    write: (branch: string) => string,
    answered: (answer: SipAnswer) => void = () => undefined,
  ): void {
    const { sip } = this.#world;
    const deliver = (): void => {
      if (this.#isCut(user)) return;
      this.#world.figures.inputs++;
      const transaction = sip.receive(write(`b${++this.#requests}`));
      this.#waiting.set(transaction, (answer) => {
        if (!this.#isCut(user)) answered(answer);
      });
    };
    this.#world.after(this.#delay(), deliver);
    if (this.#world.fails('duplication', 0.03)) this.#world.after(this.#delay(), deliver);
  }

  #isCut({ partitionedUntil }: User): boolean {
    const { clock } = this.#world;
    return partitionedUntil > clock.now() || this.#world.fails('loss', 0.03);
  }

  #delay(): number {
    const { random } = this.#world;
    const usual = 1 + random.below(50);
    return this.#world.fails('delay', 0.05)
      ? usual + Math.min(random.exponential(2000), delayMax)
      : usual;
  }

  // ------------------------------------------------------------------------------- answers

  #heard(call: PortCall): void {
    switch (call.call) {
      case 'respond': {
        const answered = this.#waiting.get(call.transaction);
        this.#waiting.delete(call.transaction);
        if (answered) this.#world.after(this.#delay(), () => answered(call.answer));
        return;
      }
      case 'request':
        this.#asked(call.request);
        return;
      case 'bye':
        this.#farewell(call.owner, call.id);
        return;
      case 'connect':
        this.#connect(call.owner);
        return;
      case 'send':
        this.#take(call.message);
        return;
      default:
        return;
    }
  }

  /** An input of the process that has asked for it, as long as it stands. */
  #input(act: () => void, stands: () => boolean, delayMs = this.#delay()): void {
    const { process } = this.#world;
    this.#world.after(delayMs, () => {
      if (this.#world.process !== process || !stands()) return;
      this.#world.figures.inputs++;
      act();
    });
  }

  #asked(request: SipOutgoing): void {
    const { sip, figures, ledger, clock } = this.#world;
    const { owner, id, method } = request;
    const stands = (): boolean => sip.pending.has(`${owner} ${id}`);
    const user = this.#userOf(owner);
    if (this.#isCut(user)) {
      this.#input(() => sip.fail(owner, id, 'timeout'), stands, timeoutMs);
      return;
    }
    if (method === 'INVITE') {
      figures.pushes++;
      const isThere = user.registeredUntil > clock.now() && !this.#world.fails('refusal', 0.05);
      const answer = isThere ? clientAnswer : {};
      this.#input(() => sip.answer(owner, id, isThere ? 200 : 480, answer), stands);
      return;
    }
    if (method === 'NOTIFY') figures.notifies++;
    if (method === 'MESSAGE') {
      figures.reports++;
      ledger.reported(request.body ?? Buffer.alloc(0), request.callId ?? '');
    }
    // The answer may be lost although the request was not.
    if (this.#isCut(user)) this.#input(() => sip.fail(owner, id, 'timeout'), stands, timeoutMs);
    else this.#input(() => sip.answer(owner, id, 200), stands);
  }

  #farewell(owner: Owner, id: string): void {
    if (id !== 'bye') return;
    const { sip } = this.#world;
    const isLost = this.#isCut(this.#userOf(owner));
    const stands = (): boolean => true;
    if (isLost) this.#input(() => sip.fail(owner, id, 'timeout'), stands, timeoutMs);
    else this.#input(() => sip.answer(owner, id, 200), stands);
  }

  #connect(owner: Owner): void {
    const { msrp } = this.#world;
    const stands = (): boolean => msrp.sessions.has(owner);
    if (this.#isCut(this.#userOf(owner))) this.#input(() => msrp.lose(owner), stands, responseMs);
    else this.#input(() => msrp.connected(owner), stands);
  }

  /** A SEND comes, or the connection breaks before it, or behind it and before its answer. */
  #take(message: MsrpOutgoing): void {
    const { msrp, ledger, figures, random } = this.#world;
    const { session } = message;
    const user = this.#userOf(session);
    const stands = (): boolean => msrp.pending.includes(message);
    if (this.#isCut(user)) {
      const breaks = random.chance(0.5);
      const lose = (): void => msrp.lose(session);
      if (breaks) this.#input(lose, () => msrp.sessions.has(session));
      else this.#input(() => this.#answered(message, 408), stands, responseMs);
      return;
    }
    const by = session.includes('#push/') ? 'push' : 'retrieval';
    const reading = Promise.resolve(message.content.read(0, message.content.size));
    void reading.then((octets) => {
      this.#world.after(0, () => {
        const received = ledger.received(octets, by);
        figures.delivered++;
        if (this.#isCut(user)) {
          this.#input(() => this.#answered(message, 408), stands, responseMs);
          return;
        }
        const status = this.#world.fails('refusal', 0.02) ? 413 : 200;
        this.#input(() => this.#answered(message, status, received), stands);
      });
    }, died);
  }

  /** The outcome of that very message. */
  #answered(message: MsrpOutgoing, status: number, received?: SimulatedMessage): void {
    const { msrp } = this.#world;
    const { pending } = msrp;
    // The port answers the oldest of a session: this one is put there.
    pending.splice(pending.indexOf(message), 1);
    pending.unshift(message);
    msrp.answer(message.session, status);
    if (status === 200 && received) this.#confirm(message, received);
  }

  /** It counts as confirmed when the store says so: with that the row is gone, or read. */
  #confirm({ owner }: MsrpOutgoing, received: SimulatedMessage): void {
    const { account, address } = parseOwner(owner);
    this.#world.after(0, () => {
      const asked = this.#world.isRead(account, Number(address.slice(3)));
      void asked.then((isRead) => (received.confirmed ||= isRead), died);
    });
  }

  /** The user of the account; of a report whoever has sent the message. */
  #userOf(owner: Owner): User {
    const { account } = parseOwner(owner);
    return this.#byName.get(account.slice(0, account.indexOf('@'))) ?? this.#users[0]!;
  }
}

/** The process has died while its store was asked: nobody hears of it. */
function died(): void {
  // Nothing is left to be told.
}
