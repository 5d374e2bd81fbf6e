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

let moved = 0;

/** The method does what it does, and is counted. */
function count(prototype: object, name: string): void {
  const method = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
  Reflect.set(prototype, name, function (this: unknown, ...args: unknown[]): unknown {
    moved++;
    return method.apply(this, args);
  });
}

count(DatagramSocket.prototype, 'send');
count(Socket.prototype, 'write');
// A server or a peer in a process of its own.
count(ChildProcess.prototype, 'spawn');

afterEach(({ task }) => {
  task.meta.wire = moved;
});
