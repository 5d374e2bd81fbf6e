import { describe, expect, test } from 'vitest';
import { Arrivals } from '../../src/client/arrivals.js';
import type { DeliveredMessage } from '../../src/client/connect.js';
import { Intake } from '../../src/client/intake.js';
import { clientLimits } from '../../src/client/world.js';
import type { MsrpSink } from '../../src/ports.js';
import { ManualClock } from '../../src/testing/clock.js';

const incoming = (messageId: string, total?: number) => ({
  messageId,
  contentType: 'text/plain',
  headers: [],
  total,
});

function consumer(room = true) {
  const messages: DeliveredMessage[] = [];
  return {
    messages,
    progress: () => {},
    take: (message: DeliveredMessage) => {
      messages.push(message);
      return Promise.resolve(room);
    },
  };
}

describe('intake', () => {
  const limits = { ...clientLimits, messageBytes: 100, incomingBytes: 150, rememberedIds: 2 };

  test('takes pieces in any order, repeated, with an unknown total', async () => {
    const intake = new Intake(limits);
    const user = consumer();
    const sink = intake.receive(incoming('d1'), user) as MsrpSink;
    await sink.write(4, Buffer.from('56'));
    await sink.write(0, Buffer.from('1234'));
    await sink.write(2, Buffer.from('34'));
    expect(await sink.complete(6)).toBe(200);
    expect(user.messages[0]!.body.toString()).toBe('123456');
    expect(intake.bytes).toBe(0);
  });

  test('answers 413 above the bound of a message, announced or not', async () => {
    const intake = new Intake(limits);
    expect(intake.receive(incoming('d1', 101), consumer())).toBe(413);
    const sink = intake.receive(incoming('d2'), consumer()) as MsrpSink;
    await sink.write(0, Buffer.alloc(60));
    await sink.write(60, Buffer.alloc(41));
    expect(await sink.complete(101)).toBe(413);
    expect(intake.bytes).toBe(0);
  });

  test('bounds what all messages hold together, and frees it', async () => {
    const intake = new Intake(limits);
    const first = intake.receive(incoming('d1', 100), consumer()) as MsrpSink;
    await first.write(0, Buffer.alloc(1));
    expect(intake.bytes).toBe(100);
    expect(intake.receive(incoming('d2', 60), consumer())).toBe(413);
    const other = intake.receive(incoming('d3'), consumer()) as MsrpSink;
    await other.write(0, Buffer.alloc(60));
    expect(await other.complete(60)).toBe(413);
    first.abort('lost');
    first.abort('lost');
    expect(intake.bytes).toBe(0);
    expect(intake.receive(incoming('d2', 60), consumer())).not.toBe(413);
  });

  test('frees what it holds when the consumer fails', async () => {
    const intake = new Intake(limits);
    const user = { progress: () => {}, take: () => Promise.reject(new Error('disk full')) };
    const sink = intake.receive(incoming('d1'), user) as MsrpSink;
    await sink.write(0, Buffer.alloc(10));
    await expect(sink.complete(10)).rejects.toThrow('disk full');
    expect(intake.bytes).toBe(0);
  });

  test('marks duplicates of what was taken, and remembers a bounded number', async () => {
    const intake = new Intake(limits);
    const take = async (messageId: string, room = true): Promise<boolean> => {
      const user = consumer(room);
      const sink = intake.receive(incoming(messageId), user) as MsrpSink;
      await sink.complete(0);
      return user.messages[0]!.duplicate;
    };
    expect(await take('refused', false)).toBe(false);
    expect(await take('refused')).toBe(false);
    expect(await take('refused')).toBe(true);
    await take('d2');
    await take('d3');
    expect(await take('refused')).toBe(false);
  });
});

describe('arrivals', () => {
  test('holds back who offers until there is room, at most so long', async () => {
    const clock = new ManualClock();
    const arrivals = new Arrivals<number>(1);
    expect(await arrivals.offer(1, clock, 100)).toBe(true);
    const second = arrivals.offer(2, clock, 100);
    const third = arrivals.offer(3, clock, 100);
    expect((await arrivals.take()).value).toBe(1);
    expect(await second).toBe(true);
    clock.advance(100);
    expect(await third).toBe(false);
    expect((await arrivals.take()).value).toBe(2);
  });

  test('keeps the newest states', async () => {
    const arrivals = new Arrivals<number>(2);
    for (const state of [1, 2, 3]) arrivals.push(state);
    expect((await arrivals.take()).value).toBe(2);
    expect((await arrivals.take()).value).toBe(3);
  });

  test('hands out what it has before it tells the error, once, and then the end', async () => {
    const arrivals = new Arrivals<number>(2);
    arrivals.push(1);
    arrivals.close(new Error('over'));
    expect((await arrivals.take()).value).toBe(1);
    await expect(arrivals.take()).rejects.toThrow('over');
    expect((await arrivals.take()).done).toBe(true);
    expect(await arrivals.offer(2, new ManualClock(), 100)).toBe(false);
  });

  test('tells who waits of the error, and all others of the end', async () => {
    const arrivals = new Arrivals<number>(2);
    const [first, second] = [arrivals.take(), arrivals.take()];
    const failure = expect(first).rejects.toThrow('over');
    arrivals.close(new Error('over'));
    await failure;
    expect((await second).done).toBe(true);
  });
});
