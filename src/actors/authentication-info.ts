/** Answers to authenticated requests show that the server knows the credentials too (RFC 7616 3.5). */

import type { Owner, SipAnswer, SipHandler, SipOutgoing, SipPort } from '../ports.js';
import type { Peer, TransactionId } from '../ports.js';
import type { HeaderField } from '../wire/sip/message.js';

/** The value of Authentication-Info for an answer with that body. */
export type Proof = (body: Buffer) => string;

const nothing = Buffer.alloc(0);

/** A SipPort before another one that adds Authentication-Info to 2xx answers. */
export class ProvenAnswers implements SipPort {
  readonly #port: SipPort;
  readonly #bound: number;
  readonly #answered: (transaction: TransactionId) => void;
  /** Of requests that wait for their answer, oldest first. */
  readonly #proofs = new Map<TransactionId, Proof>();

  /** `answered` hears of every final answer. */
  constructor(
    port: SipPort,
    bound: number,
    answered: (transaction: TransactionId) => void = () => undefined,
  ) {
    this.#port = port;
    this.#bound = bound;
    this.#answered = answered;
  }

  /** The answer to this request is to carry the proof. */
  keep(transaction: TransactionId, proof: Proof): void {
    this.#proofs.set(transaction, proof);
    if (this.#proofs.size <= this.#bound) return;
    const [oldest] = this.#proofs.keys();
    this.#proofs.delete(oldest!);
  }

  respond(transaction: TransactionId, answer: SipAnswer): void {
    const proof = this.#proofs.get(transaction);
    if (answer.status >= 200) {
      this.#proofs.delete(transaction);
      this.#answered(transaction);
    }
    if (!proof || answer.status < 200 || answer.status > 299) {
      this.#port.respond(transaction, answer);
      return;
    }
    const field: HeaderField = ['Authentication-Info', proof(answer.body ?? nothing)];
    this.#port.respond(transaction, { ...answer, headers: [...answer.headers, field] });
  }

  start(handler: SipHandler): Promise<void> {
    return this.#port.start(handler);
  }

  request(request: SipOutgoing): void {
    this.#port.request(request);
  }

  bye(owner: Owner, id: string, headers: readonly HeaderField[]): void {
    this.#port.bye(owner, id, headers);
  }

  forget(owner: Owner): void {
    this.#port.forget(owner);
  }

  contactUri(user: string, transport?: Peer['transport']): string {
    return this.#port.contactUri(user, transport);
  }

  stop(graceMs: number): Promise<void> {
    return this.#port.stop(graceMs);
  }
}
