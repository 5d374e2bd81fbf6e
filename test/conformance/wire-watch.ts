/**
 * Counts what is moved over sockets for each test, so that a row of docs/conformance.md is passed
 * by no test that only says that it looks at the wire.
 */

import { ChildProcess } from 'node:child_process';
import { Socket as DatagramSocket } from 'node:dgram';
import { Socket } from 'node:net';
import { afterEach } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Sends, writes and starts of programs in its file so far: what a hook has moved counts too. */
    wire?: number;
  }
}

interface Watch {
  moved: number;
}

/** One for a worker, which may run several files: methods are replaced once, each file counts anew. */
const key = Symbol.for('poste-restante.wire-watch');
const watch = (Reflect.get(globalThis, key) as Watch | undefined) ?? installed();
watch.moved = 0;

function installed(): Watch {
  const made: Watch = { moved: 0 };
  Reflect.set(globalThis, key, made);
  count(made, DatagramSocket.prototype, 'send');
  count(made, Socket.prototype, 'write');
  // A server or a peer in a process of its own.
  count(made, ChildProcess.prototype, 'spawn');
  return made;
}

/** The method does what it does, and is counted. */
function count(into: Watch, prototype: object, name: string): void {
  const method = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
  Reflect.set(prototype, name, function (this: unknown, ...args: unknown[]): unknown {
    into.moved++;
    return method.apply(this, args);
  });
}

afterEach(({ task }) => {
  task.meta.wire = watch.moved;
});
