/** What users of a simulation know of their messages, and what may not happen to any of them. */

export interface SimulatedMessage {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly reports: boolean;
  readonly sentAt: number;
  status: 'pending' | 'acknowledged' | 'declined' | 'unknown';
  acknowledgedAt: number;
  /** Times that its octets came to the user, by a push and by a retrieval. */
  received: number;
  /** Times that its user has said so to the server. */
  taken: number;
  /** The server has heard that the user has it, and has written that down. */
  confirmed: boolean;
}

/** What begins with the sending. */
type Fresh = 'status' | 'acknowledgedAt' | 'received' | 'taken' | 'confirmed';

export class SimulationError extends Error {
  readonly property: string;
  readonly at: number;

  constructor(property: string, text: string, at: number) {
    super(`${property}: ${text}`);
    this.property = property;
    this.at = at;
  }
}

export class SimulationLedger {
  readonly messages = new Map<string, SimulatedMessage>();
  /** Reports by the message and what they say: the Call-IDs under which they came. */
  readonly #reports = new Map<string, Set<string>>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  breach(property: string, text: string): never {
    throw new SimulationError(property, text, this.#now());
  }

  sent(message: Omit<SimulatedMessage, Fresh>) {
    const kept: SimulatedMessage = {
      ...message,
      status: 'pending',
      acknowledgedAt: 0,
      received: 0,
      taken: 0,
      confirmed: false,
    };
    this.messages.set(message.id, kept);
    return kept;
  }

  /** The octets of a message come to its user. */
  received(octets: Buffer, by: 'push' | 'retrieval'): SimulatedMessage {
    const id = /<<(\w+)>>/.exec(octets.toString('latin1'))?.[1];
    const message = id === undefined ? undefined : this.messages.get(id);
    if (!message) this.breach('whole', `what was never sent is delivered: ${String(id)}`);
    if (message.confirmed && by === 'push') {
      this.breach('twice', `${message.id} is pushed again although its delivery was confirmed`);
    }
    message.received++;
    return message;
  }

  /** A report comes to whoever sent the message: at least once, always the same one. */
  reported(body: Buffer, callId: string): void {
    const text = body.toString('latin1');
    const id = /<message-id>([^<]+)</.exec(text)?.[1] ?? '';
    const message = this.messages.get(id);
    if (!message) this.breach('report', `a report on what was never sent: ${id}`);
    const isFailure = text.includes('<delivery-notification>');
    if (isFailure && message.received > 0 && message.confirmed) {
      this.breach('report', `${id} is reported undelivered, and its user has it`);
    }
    const name = `${id} ${isFailure ? 'undelivered' : 'stored'}`;
    const known = this.#reports.get(name) ?? new Set<string>();
    this.#reports.set(name, known.add(callId));
    if (known.size > 1) this.breach('report', `${name}: two different reports`);
  }

  /** At the end: nothing that was acknowledged is lost, no report that is owed is missing. */
  judge(stored: ReadonlySet<string>, expiresMs: number): void {
    for (const message of this.messages.values()) {
      if (!stored.has(message.id)) this.#judgeEnd(message, expiresMs);
    }
  }

  /** At any time: what was acknowledged is in the store, its user has it, or its time is over. */
  judgeDurable(stored: ReadonlySet<string>, expiresMs: number): void {
    for (const message of this.messages.values()) {
      if (!stored.has(message.id)) this.#judgeLoss(message, expiresMs);
    }
  }

  /** Judges the end of messages that are older than `ageMs`, and remembers them no longer. */
  forget(ageMs: number, expiresMs: number): void {
    for (const message of this.messages.values()) {
      // The oldest come first.
      if (this.#now() - message.sentAt < ageMs) return;
      this.#judgeEnd(message, expiresMs);
      this.messages.delete(message.id);
      for (const kind of ['undelivered', 'stored']) this.#reports.delete(`${message.id} ${kind}`);
    }
  }

  #judgeEnd(message: SimulatedMessage, expiresMs: number): void {
    this.#judgeLoss(message, expiresMs);
    const { id, status, received, reports } = message;
    if (status !== 'acknowledged' || received > 0 || !reports) return;
    if (!this.#reports.has(`${id} undelivered`)) {
      this.breach('report', `${id} has expired, and its sender has not heard of that`);
    }
  }

  #judgeLoss({ id, status, received, acknowledgedAt }: SimulatedMessage, expiresMs: number): void {
    if (status !== 'acknowledged' || received > 0) return;
    if (this.#now() - acknowledgedAt >= expiresMs - 60_000) return;
    this.breach('end', `${id} was acknowledged, is not in the store and was never delivered`);
  }
}
