/** Questions that one process of a server asks another over their link, and what it is told. */

import { deserialize, serialize } from 'node:v8';
import type { Clock } from '../ports.js';

/** An error of the other process, or of the way to it. `code` is stable API. */
export class ClusterError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message.startsWith(code) ? message : `${code}: ${message}`);
    this.name = 'ClusterError';
    this.code = code;
  }
}

/** What this side answers, by name. */
export type Answers = Readonly<Record<string, (...parameters: readonly never[]) => unknown>>;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly parameters: readonly unknown[];
}

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: string; readonly message: string };

export interface CallsParts {
  readonly clock: Clock;
  /** Questions without an answer; beyond, the next one is refused. */
  readonly pending: number;
  readonly timeoutMs: number;
  /** False: the other side is gone. */
  ask(octets: Buffer): boolean;
  answer(octets: Buffer): boolean;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  withdraw(): void;
}

export class Calls {
  readonly #parts: CallsParts;
  readonly #answers: Answers;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(parts: CallsParts, answers: Answers) {
    this.#parts = parts;
    this.#answers = answers;
  }

  /** Rejects with the error of the other side, or with STORE_UNAVAILABLE when there is no answer. */
  call(name: string, ...parameters: readonly unknown[]): Promise<unknown> {
    const { clock, pending, timeoutMs } = this.#parts;
    if (this.#waiting.size >= pending) return Promise.reject(unavailable('too many questions'));
    const id = ++this.#last;
    const question: Question = { id, name, parameters };
    return new Promise((resolve, reject) => {
      const withdraw = clock.after(timeoutMs, () => {
        this.#waiting.delete(id);
        reject(unavailable(`no answer to ${name}`));
      });
      this.#waiting.set(id, { resolve, reject, withdraw });
      if (!this.#parts.ask(serialize(question))) this.lost();
    });
  }

  /** Something the other side wants to know. */
  async asked(octets: Buffer): Promise<void> {
    const { id, name, parameters } = deserialize(octets) as Question;
    let answer: Answer;
    try {
      const act = this.#answers[name];
      if (!act) throw unavailable(`nobody answers ${name}`);
      answer = { id, value: await act(...(parameters as readonly never[])) };
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      const message = error instanceof Error ? error.message : String(error);
      answer = { id, code: typeof code === 'string' ? code : 'CLUSTER_FAILED', message };
    }
    this.#parts.answer(serialize(answer));
  }

  answered(octets: Buffer): void {
    const answer = deserialize(octets) as Answer;
    const waiting = this.#waiting.get(answer.id);
    if (!waiting) return;
    this.#waiting.delete(answer.id);
    waiting.withdraw();
    if ('code' in answer) waiting.reject(new ClusterError(answer.code, answer.message));
    else waiting.resolve(answer.value);
  }

  /** Nobody will answer any more. */
  lost(): void {
    for (const { reject, withdraw } of this.#waiting.values()) {
      withdraw();
      reject(unavailable('the other process is gone'));
    }
    this.#waiting.clear();
  }
}

function unavailable(why: string): ClusterError {
  return new ClusterError('STORE_UNAVAILABLE', why);
}
