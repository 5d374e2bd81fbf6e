/** The contract every `MsrpPort` fulfils, as cases for any test runner. */

import assert from 'node:assert/strict';
import type { Content, MsrpIncoming, MsrpPort, Owner } from '../ports.js';
import { MsrpRecorder, outgoing, patternBytes } from './msrp-recorder.js';

/** Makes a port that has not been started; the case starts and stops it. */
export type MakeMsrpPort = () => MsrpPort | Promise<MsrpPort>;

export interface MsrpPortCase {
  readonly name: string;
  run(make: MakeMsrpPort): Promise<void>;
}

interface Side {
  readonly port: MsrpPort;
  readonly recorder: MsrpRecorder;
}

/** Runs `body` with two started ports and stops them. */
async function between(
  make: MakeMsrpPort,
  body: (alice: Side, bob: Side) => Promise<void>,
): Promise<void> {
  const alice = { port: await make(), recorder: new MsrpRecorder() };
  const bob = { port: await make(), recorder: new MsrpRecorder() };
  await alice.port.start(alice.recorder);
  await bob.port.start(bob.recorder);
  try {
    await body(alice, bob);
  } finally {
    await Promise.all([alice.port.stop(0), bob.port.stop(0)]);
  }
}

/** Binds one session of each side to the other, `active` being the side that connects. */
async function bind(active: Side, passive: Side, owner: Owner): Promise<void> {
  const activeUri = active.port.reserve(owner);
  const passiveUri = passive.port.reserve(owner);
  passive.port.connect(owner, { path: [activeUri], active: false });
  active.port.connect(owner, { path: [passiveUri], active: true });
  await active.recorder.hears('connected', owner);
  await passive.recorder.hears('connected', owner);
}

export const msrpPortContract: readonly MsrpPortCase[] = [
  {
    name: 'MSRP-11: a session is bound on both sides and carries messages both ways',
    run: (make) =>
      between(make, async (alice, bob) => {
        await bind(alice, bob, 'one');
        alice.port.send(outgoing('one', 'msga', 'from the active side'));
        await alice.recorder.hears('sent', 'one/sender msga 200');
        bob.port.send(outgoing('one', 'msgb', 'from the passive side'));
        await bob.recorder.hears('sent', 'one/sender msgb 200');
        assert.deepEqual(bob.recorder.bodies.map(String), ['from the active side']);
        assert.deepEqual(alice.recorder.bodies.map(String), ['from the passive side']);
        assert.deepEqual(alice.recorder.of('connected'), ['one']);
        assert.deepEqual(bob.recorder.of('connected'), ['one']);
      }),
  },
  {
    name: 'MSRP-07: the type, the headers and the size of a message come with its first chunk',
    run: (make) =>
      between(make, async (alice, bob) => {
        const seen: MsrpIncoming[] = [];
        bob.recorder.onReceive = (_owner, incoming) => {
          seen.push(incoming);
          return undefined;
        };
        await bind(alice, bob, 'one');
        const headers = [['Content-Disposition', 'attachment']] as const;
        const changes = { contentType: 'message/cpim', headers };
        alice.port.send(outgoing('one', 'msga', patternBytes(5000), changes));
        await alice.recorder.hears('sent', 'one/sender msga 200');
        assert.equal(seen.length, 1);
        assert.equal(seen[0]?.messageId, 'msga');
        assert.equal(seen[0].contentType, 'message/cpim');
        assert.equal(seen[0].total, 5000);
        assert.ok(seen[0].headers.some(([name]) => name === 'Content-Disposition'));
      }),
  },
  {
    name: 'MSRP-05: an empty message is a message',
    run: (make) =>
      between(make, async (alice, bob) => {
        await bind(alice, bob, 'one');
        alice.port.send(outgoing('one', 'msga', '', { successReport: true }));
        await alice.recorder.hears('sent', 'one/sender msga 200');
        await alice.recorder.hears('reported', 'one/sender msga 200');
        assert.deepEqual(bob.recorder.of('received'), ['one msga']);
        assert.equal(bob.recorder.bodies[0]?.length, 0);
      }),
  },
  {
    name: 'MSRP-06: a large content is read piece by piece and arrives whole',
    run: (make) =>
      between(make, async (alice, bob) => {
        await bind(alice, bob, 'one');
        const bytes = patternBytes(3_000_001);
        let longest = 0;
        const content: Content = {
          size: bytes.length,
          read: async (offset, length) => {
            longest = Math.max(longest, length);
            await Promise.resolve();
            return bytes.subarray(offset, offset + length);
          },
        };
        alice.port.send(outgoing('one', 'msga', '', { content }));
        await alice.recorder.hears('sent', 'one/sender msga 200');
        assert.ok(bob.recorder.bodies[0]?.equals(bytes));
        assert.ok(longest <= 1_048_576);
      }),
  },
  {
    name: 'MSRP-21: REPORTs that cover the message are told once',
    run: (make) =>
      between(make, async (alice, bob) => {
        await bind(alice, bob, 'one');
        const changes = { successReport: true };
        alice.port.send(outgoing('one', 'msga', patternBytes(200_000), changes));
        await alice.recorder.hears('sent', 'one/sender msga 200');
        await alice.recorder.hears('reported', 'one/sender msga 200');
        alice.port.send(outgoing('one', 'msgb', 'without a report'));
        await alice.recorder.hears('sent', 'one/sender msgb 200');
        assert.deepEqual(alice.recorder.of('reported'), ['one/sender msga 200']);
      }),
  },
  {
    name: 'D-72: messages of one session arrive in the order of the calls',
    run: (make) =>
      between(make, async (alice, bob) => {
        await bind(alice, bob, 'one');
        const expected: string[] = [];
        for (let index = 0; index < 500; index++) {
          const size = index % 50 === 0 ? 9_000 : 20;
          alice.port.send(outgoing('one', `msg${index}`, patternBytes(size)));
          expected.push(`one msg${index}`);
        }
        await alice.recorder.until((recorder) => recorder.of('sent').length === 500);
        assert.deepEqual(bob.recorder.of('received'), expected);
        assert.ok(alice.recorder.of('sent').every((line) => line.endsWith(' 200')));
      }),
  },
  {
    name: 'MSRP-25: the status of a receiver that refuses is told to the sender',
    run: (make) =>
      between(make, async (alice, bob) => {
        bob.recorder.onReceive = (_owner, { messageId }) =>
          messageId === 'msga' ? 403 : undefined;
        bob.recorder.onComplete = () => 413;
        await bind(alice, bob, 'one');
        alice.port.send(outgoing('one', 'msga', 'refused at its first chunk'));
        await alice.recorder.hears('sent', 'one/sender msga 403');
        alice.port.send(outgoing('one', 'msgb', 'refused at its end'));
        await alice.recorder.hears('sent', 'one/sender msgb 413');
      }),
  },
  {
    name: 'D-16: the last chunk is answered only after the sink has completed the message',
    run: (make) =>
      between(make, async (alice, bob) => {
        let finish = (): void => undefined;
        const completed = new Promise<number>((resolve) => {
          finish = () => resolve(200);
        });
        bob.recorder.onComplete = () => completed;
        await bind(alice, bob, 'one');
        const changes = { successReport: true };
        alice.port.send(outgoing('one', 'msga', patternBytes(10_000), changes));
        await bob.recorder.hears('received', 'one msga');
        // A whole exchange in the other direction leaves time for an answer that comes too early.
        bob.port.send(outgoing('one', 'msgb', 'the other way'));
        await bob.recorder.hears('sent', 'one/sender msgb 200');
        assert.deepEqual(alice.recorder.of('sent'), []);
        assert.deepEqual(alice.recorder.of('reported'), []);
        finish();
        await alice.recorder.hears('sent', 'one/sender msga 200');
        await alice.recorder.hears('reported', 'one/sender msga 200');
      }),
  },
  {
    name: 'MSRP-07: a sink that takes its time is never given two pieces at once',
    run: (make) =>
      between(make, async (alice, bob) => {
        let writing = 0;
        let most = 0;
        bob.recorder.onReceive = (owner, incoming) => {
          const sink = bob.recorder.sink(owner, incoming);
          const write = async (offset: number, bytes: Buffer): Promise<void> => {
            writing += 1;
            most = Math.max(most, writing);
            await new Promise((resolve) => setImmediate(resolve));
            await sink.write(offset, bytes);
            writing -= 1;
          };
          return { ...sink, write };
        };
        await bind(alice, bob, 'one');
        const bytes = patternBytes(1_000_000);
        alice.port.send(outgoing('one', 'msga', bytes));
        await alice.recorder.hears('sent', 'one/sender msga 200');
        assert.equal(most, 1);
        assert.ok(bob.recorder.bodies[0]?.equals(bytes));
      }),
  },
  {
    name: 'MSRP-13: sessions between the same endpoints do not mix',
    run: (make) =>
      between(make, async (alice, bob) => {
        for (const owner of ['one', 'two', '__proto__']) await bind(alice, bob, owner);
        const large = patternBytes(400_000);
        alice.port.send(outgoing('one', 'same', large));
        alice.port.send(outgoing('two', 'same', 'second'));
        alice.port.send(outgoing('__proto__', 'same', 'third'));
        await alice.recorder.until((recorder) => recorder.of('sent').length === 3);
        const received = new Map(
          bob.recorder.heard.flatMap((heard) =>
            heard.type === 'received' ? [[heard.owner, heard.body] as const] : [],
          ),
        );
        assert.ok(received.get('one')?.equals(large));
        assert.equal(received.get('two')?.toString(), 'second');
        assert.equal(received.get('__proto__')?.toString(), 'third');
      }),
  },
  {
    name: 'MSRP-23: a content that cannot be read ends its message, not the session',
    run: (make) =>
      between(make, async (alice, bob) => {
        await bind(alice, bob, 'one');
        const content: Content = {
          size: 300_000,
          read: (offset, length) =>
            offset === 0
              ? patternBytes(Math.min(length, 4_096))
              : Promise.reject(new Error('the disk is gone')),
        };
        alice.port.send(outgoing('one', 'msga', '', { content }));
        alice.port.send(outgoing('one', 'msgb', 'still here'));
        await alice.recorder.hears('sent', 'one/sender msgb 200');
        assert.deepEqual(alice.recorder.of('sent'), ['one/sender msga 408', 'one/sender msgb 200']);
        assert.deepEqual(bob.recorder.of('received'), ['one msgb']);
        assert.deepEqual(bob.recorder.of('aborted'), ['one msga aborted']);
      }),
  },
  {
    name: 'MSRP-12: a message for a session that is not there ends with 481, after the call',
    run: (make) =>
      between(make, async (alice) => {
        alice.port.send(outgoing('nobody', 'msga', 'hello'));
        assert.deepEqual(alice.recorder.of('sent'), []);
        await alice.recorder.hears('sent', 'nobody/sender msga 481');
      }),
  },
  {
    name: 'SDP-06: an active session to a path with port 9 is refused',
    run: (make) =>
      between(make, async (alice) => {
        alice.port.reserve('one');
        alice.port.connect('one', { path: ['msrp://127.0.0.1:9/nobody;tcp'], active: true });
        await alice.recorder.hears('lost', 'one refused');
      }),
  },
  {
    name: 'MSRP-12: an active session to an unknown session of the peer is refused',
    run: (make) =>
      between(make, async (alice, bob) => {
        alice.port.reserve('one');
        const path = [`${bob.port.reserve('one').replace(/;tcp$/, '')}x;tcp`];
        alice.port.connect('one', { path, active: true });
        await alice.recorder.hears('lost', 'one refused');
        assert.deepEqual(bob.recorder.of('connected'), []);
      }),
  },
  {
    name: 'MSRP-13: when a port stops, its peer loses the sessions and hears nothing of messages',
    run: (make) =>
      between(make, async (alice, bob) => {
        bob.recorder.onComplete = () => new Promise<number>(() => undefined);
        await bind(alice, bob, 'one');
        await bind(alice, bob, 'two');
        alice.port.send(outgoing('one', 'msga', 'never answered'));
        await bob.recorder.hears('received', 'one msga');
        await bob.port.stop(0);
        await alice.recorder.until((recorder) => recorder.of('lost').length === 2);
        assert.deepEqual(alice.recorder.of('lost').sort(), ['one closed', 'two closed']);
        assert.deepEqual(alice.recorder.of('sent'), []);
      }),
  },
  {
    name: 'MSRP-10: a session has one URI, another owner another one',
    run: (make) =>
      between(make, async (alice) => {
        const uri = alice.port.reserve('one');
        assert.match(uri, /^msrps?:\/\/.+:\d+\/.+;(tcp|ws)$/);
        assert.equal(alice.port.reserve('one'), uri);
        assert.notEqual(alice.port.reserve('two'), uri);
        alice.port.release('one');
        assert.notEqual(alice.port.reserve('one'), uri);
        await Promise.resolve();
      }),
  },
];
